SELECT	id,		foo FROM s;
