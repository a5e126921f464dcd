EXPLAIN CREATE STREAM s (time TIMESTAMPTZ, key TEXT, type TEXT, partition BIGINT, at TIMESTAMPTZ, watermark BIGINT, stream TEXT, view TEXT, emit TEXT, "select" TEXT, "Größe" DOUBLE PRECISION);
