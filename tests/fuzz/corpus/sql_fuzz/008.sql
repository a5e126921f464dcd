CREATE STREAM s (a TEXT) WITH (retention = '1 month');
