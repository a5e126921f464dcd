EXPLAIN SELECT net, strongest * 10 AS s FROM v v WHERE v.quakes > 3 AND net <> 'us' ORDER BY 2 DESC NULLS LAST, net, quakes NULLS FIRST LIMIT 10 OFFSET 20;
