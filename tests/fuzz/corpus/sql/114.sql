SELECT * FROM s, s;
