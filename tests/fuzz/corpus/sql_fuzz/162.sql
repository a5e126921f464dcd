EXPLAIN SELECT id, window_start FROM TUMBLE(s, at, INTERVAL '1 minute') WHERE customer LIKE 'a%';
