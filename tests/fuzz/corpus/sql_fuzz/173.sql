EXPLAIN SELECT NOT paid AND items + 2 * 3 > 4 OR paid AS x, -items::double precision AS y FROM s;
