CREATE STREAM dead_letters (a TEXT);
