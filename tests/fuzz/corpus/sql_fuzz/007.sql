CREATE STREAM s (a TEXT) WITH (retention = 7);
