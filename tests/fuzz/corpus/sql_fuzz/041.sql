SELECT e.mag FROM s q;
