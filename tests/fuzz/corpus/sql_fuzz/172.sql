EXPLAIN SELECT CASE WHEN paid THEN 1 ELSE 2.5 END AS x, coalesce(items, 0.5) AS y, nullif(items, 3) AS z FROM s;
