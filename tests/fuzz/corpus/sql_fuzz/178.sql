EXPLAIN SUBSCRIBE TO strong_quakes;
