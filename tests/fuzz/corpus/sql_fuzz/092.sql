SELECT * FROM s WHERE items = 'many';
