SELECT * FROM s WHERE net = "us";
