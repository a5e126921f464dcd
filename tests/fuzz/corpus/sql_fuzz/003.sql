CREATE STREAM s (country TEXT) WITH (key = 'contry');
