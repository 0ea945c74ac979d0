insert into booking_addresses (booking_id, address_hash) values (3, sha256('203.0.113.7'));
