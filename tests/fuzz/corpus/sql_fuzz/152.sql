EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT items / 10 AS tens, CASE WHEN paid THEN 'paid' ELSE 'open' END AS state, count(*) AS n
  FROM s GROUP BY tens, state;
