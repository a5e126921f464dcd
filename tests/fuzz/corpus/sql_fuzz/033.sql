CREATE STREAM s WITH (partitions = 2) AS SELECT id FROM s;
