SELECT customer FROM s GROUP BY customer;
