CREATE STREAM s AS SELECT customer, count(*) AS n FROM s GROUP BY customer;
