EXPLAIN SELECT took * 2 AS a, 2 * took AS b, at - took AS c, at - at AS d, INTERVAL '1' HOUR AS e, -took AS f FROM s;
