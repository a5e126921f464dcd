EXPLAIN CREATE MATERIALIZED VIEW v AS
  SELECT window_start, net, count(*) AS quakes, max(mag) AS strongest
  FROM TUMBLE(s, time, INTERVAL '1 hour') GROUP BY window_start, net;
