EXPLAIN CREATE MATERIALIZED VIEW total AS SELECT count(*), sum(mag), min(time) FROM s;
