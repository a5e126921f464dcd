EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT customer, sum(amount) / count(*) AS mean, sum(amount) AS total FROM s WHERE amount > 0 GROUP BY customer;
