EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT window_start, window_end, net, count(*) AS n FROM TUMBLE(s, time, INTERVAL '1 day') GROUP BY window_start, window_end, net;
