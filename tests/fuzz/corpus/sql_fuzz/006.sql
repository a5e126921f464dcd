CREATE STREAM s (a TEXT) WITH (partitions = 4, partitions = 8);
