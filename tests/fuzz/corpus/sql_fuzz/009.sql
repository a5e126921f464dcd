CREATE STREAM s (a TEXT) WITH (retention_bytes = '10 elephants');
