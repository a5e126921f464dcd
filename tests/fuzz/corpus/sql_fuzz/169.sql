EXPLAIN SELECT at + '1 hour' AS later FROM s;
