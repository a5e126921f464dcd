-- auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), date_time TIMESTAMP_LTZ(3), extra STRING
SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid
