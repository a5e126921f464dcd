SELECT * FROM s JOIN s ON true;
