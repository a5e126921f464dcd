SELECT NOT customer FROM s;
