SELECT * FROM TUMBLE(s, place, INTERVAL '1 hour');
