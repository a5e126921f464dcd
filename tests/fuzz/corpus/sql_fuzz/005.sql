CREATE STREAM s (a TEXT) WITH (partition = 4);
