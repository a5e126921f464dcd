SELECT * FROM s WHERE paid AND items;
