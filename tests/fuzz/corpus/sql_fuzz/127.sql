SELECT * FROM HOP(s, at, INTERVAL '1 hour');
