SELECT * FROM s WHERE customer IN ('a', 1);
