SELECT 'größe 地震', foo FROM s;
