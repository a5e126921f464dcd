SELECT nullif(1);
