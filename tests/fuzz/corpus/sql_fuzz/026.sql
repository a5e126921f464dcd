CREATE MATERIALIZED VIEW v WITH (retention = '1 day') AS SELECT net, count(*) AS n FROM s GROUP BY net;
