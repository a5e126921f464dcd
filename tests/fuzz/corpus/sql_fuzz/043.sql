SELECT mag;
