-- Names and addresses are stored in Unicode's composed form (NFC), in which a search looks for them. Rows of before may
-- have another.
set local lock_timeout = '3s';
update bookings set customer_name = normalize(customer_name, nfc), customer_email = normalize(customer_email, nfc)
where customer_name is not nfc normalized or customer_email is not nfc normalized;
