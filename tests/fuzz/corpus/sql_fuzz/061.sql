SUBSCRIBE TO quakes_per_day;
