EXPLAIN CREATE STREAM s AS SELECT q.id, window_start AS hour FROM TUMBLE(strong_quakes, time, INTERVAL '1 hour') AS q;
