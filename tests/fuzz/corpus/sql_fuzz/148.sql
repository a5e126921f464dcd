EXPLAIN CREATE MATERIALIZED VIEW v WITH (retention = '7 days', start = 'now') AS
  SELECT window_start, window_end, count(*) AS n FROM TUMBLE(s, time, INTERVAL '1 hour', INTERVAL '15 minutes') GROUP BY window_start EMIT ON WINDOW CLOSE;
