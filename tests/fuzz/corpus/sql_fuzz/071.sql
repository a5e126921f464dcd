SELECT 1 /* /* */
