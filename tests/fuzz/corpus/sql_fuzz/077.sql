SELECT id,
       nam
FROM s;
