SELECT count(*) FROM s;
