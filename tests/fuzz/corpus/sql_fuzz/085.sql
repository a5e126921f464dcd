SELECT * FROM s WHERE time > 5;
