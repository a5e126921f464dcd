CREATE STREAM s (a TEXT) WITH (format = 'avro');
