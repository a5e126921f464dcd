EXPLAIN SELECT cause, message FROM dead_letters ORDER BY at DESC LIMIT 20;
