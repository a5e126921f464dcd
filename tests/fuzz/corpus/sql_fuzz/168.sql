EXPLAIN SELECT id FROM s WHERE at < '2001-01-01' AND items = '5' AND took > '1 hour' AND NOT paid = 'yes';
