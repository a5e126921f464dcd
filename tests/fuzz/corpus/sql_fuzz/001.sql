CREATE STREAM s (a TEXT) WITH (partitions = 0);
