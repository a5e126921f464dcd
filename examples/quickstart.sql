-- The streams and views of the quick start. Run it again: nothing happens twice.

-- Earthquakes of a week (USGS). A number in a timestamp column is Unix milliseconds; fields that are not declared are ignored.
CREATE STREAM IF NOT EXISTS earthquakes (
  id TEXT, time TIMESTAMPTZ, mag DOUBLE PRECISION, place TEXT, net TEXT, depth_km DOUBLE PRECISION,
  WATERMARK FOR time AS time - INTERVAL '10 minutes'
) WITH (format = 'json', key = 'net', partitions = 4);

CREATE MATERIALIZED VIEW IF NOT EXISTS quakes_per_hour AS
  SELECT window_start, net, count(*) AS quakes, max(mag) AS strongest
  FROM TUMBLE(earthquakes, time, INTERVAL '1 hour') GROUP BY window_start, net;

CREATE STREAM IF NOT EXISTS strong_quakes AS SELECT id, time, mag, place FROM earthquakes WHERE mag >= 4.5;

-- Flights in the United States, first quarter of 2001.
CREATE STREAM IF NOT EXISTS flights (
  departed_at TIMESTAMPTZ, origin TEXT, destination TEXT, distance_mi BIGINT, delay_min BIGINT,
  WATERMARK FOR departed_at AS departed_at - INTERVAL '1 hour'
) WITH (format = 'json', key = 'origin', partitions = 4);

-- Grouped by the stream's key: every group stays in its partition. Final rows only, once a day is over.
CREATE MATERIALIZED VIEW IF NOT EXISTS departures_per_day AS
  SELECT window_start, origin, count(*) AS flights, avg(delay_min) AS mean_delay_min, max(distance_mi) AS farthest_mi
  FROM TUMBLE(flights, departed_at, INTERVAL '1 day') GROUP BY window_start, origin
  EMIT ON WINDOW CLOSE;

-- Grouped by another column: through a repartition.
CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_per_hour AS
  SELECT window_start, destination, count(*) AS flights,
         sum(CASE WHEN delay_min > 15 THEN 1 ELSE 0 END) AS late_flights, sum(distance_mi) AS miles
  FROM TUMBLE(flights, departed_at, INTERVAL '1 hour') GROUP BY window_start, destination;
