EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT place, count(*) AS n FROM strong_quakes GROUP BY place;
