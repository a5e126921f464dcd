SELECT coalesce(customer, 0) FROM s;
