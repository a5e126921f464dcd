EXPLAIN CREATE STREAM flights (departed_at TIMESTAMPTZ, origin TEXT, distance_mi BIGINT,
  WATERMARK FOR departed_at AS departed_at - INTERVAL '1 hour')
  WITH (format='json', key='origin', partitions=4, idle_timeout='2 minutes', retention='7 days', retention_bytes='10 GB');
