SELECT id FROM s o x;
