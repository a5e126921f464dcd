SELECT lower(customer) FROM s;
