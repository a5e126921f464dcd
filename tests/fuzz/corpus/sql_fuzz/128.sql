SELECT count(*) OVER () FROM s;
