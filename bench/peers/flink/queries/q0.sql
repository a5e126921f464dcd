-- auction BIGINT, bidder BIGINT, price BIGINT, date_time TIMESTAMP_LTZ(3), extra STRING
SELECT auction, bidder, price, date_time, extra FROM bid
