SELECT order FROM s;
