EXPLAIN CREATE STREAM s AS SELECT id, time, mag, place FROM s WHERE mag >= 4.5;
