EXPLAIN SELECT id FROM s WHERE items > 1.5 OR amount = items;
