CREATE STREAM w (window_start TIMESTAMPTZ);
SELECT window_start FROM TUMBLE(w, window_start, INTERVAL '1 hour');
