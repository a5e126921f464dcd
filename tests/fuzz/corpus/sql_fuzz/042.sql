SELECT s.mag FROM s e;
