EXPLAIN SELECT id::text, CASE WHEN paid THEN 1 END, coalesce(items, 0), true, 42 FROM s;
