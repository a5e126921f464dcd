SELECT mag % 2 FROM s;
