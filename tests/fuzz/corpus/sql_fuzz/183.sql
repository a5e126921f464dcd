EXPLAIN SELECT 'it''s' AS a, E'tab\there' AS b, $x$it's$x$ AS c;
