SELECT magg FROM s;
