DROP STREAM dead_letters;
