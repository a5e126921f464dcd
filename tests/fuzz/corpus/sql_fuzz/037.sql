SELECT * FROM earthquaks;
