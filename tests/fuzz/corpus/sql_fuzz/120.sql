CREATE MATERIALIZED VIEW v AS SELECT customer, count(*) AS n FROM s GROUP BY customer HAVING count(*) > 1;
