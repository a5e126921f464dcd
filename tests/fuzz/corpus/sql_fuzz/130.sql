SELECT * FROM s WHERE at > now();
