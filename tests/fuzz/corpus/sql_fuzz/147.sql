EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT customer, sum(items) AS items FROM s GROUP BY customer;
