CREATE MATERIALIZED VIEW v AS SELECT customer, items, count(*) AS n FROM s GROUP BY customer;
