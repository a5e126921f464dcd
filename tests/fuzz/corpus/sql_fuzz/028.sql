SELECT * FROM TUMBLE(s, time, INTERVAL '0 seconds');
