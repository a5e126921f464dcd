SELECT * FROM TUMBLE(v, window_start, INTERVAL '1 day');
