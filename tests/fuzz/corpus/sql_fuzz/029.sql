SELECT * FROM TUMBLE(s, time, INTERVAL '1 month');
