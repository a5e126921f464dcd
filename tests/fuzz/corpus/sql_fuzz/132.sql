SELECT * FROM s WHERE customer ILIKE 'a%';
