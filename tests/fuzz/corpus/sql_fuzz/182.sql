EXPLAIN SELECT NULL AS nothing, items + NULL AS n, coalesce(NULL, customer) AS c FROM s WHERE NULL;
