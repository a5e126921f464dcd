SELECT time - '10 minutes' FROM s;
