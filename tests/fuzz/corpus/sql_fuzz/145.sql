EXPLAIN CREATE MATERIALIZED VIEW by_place AS SELECT place, count(*) AS n, avg(mag) AS mean FROM s GROUP BY place;
