SHOW COLUMNS FROM nothing_like_it;
