-- Texts are stored in Unicode's form NFC from now on: a search for `ज़` finds it whether it was typed as one character or
-- two. Here those of before become equal to what the code compares them with. Versions and dates of rows stay: nobody
-- changed a word.
update bookings
set customer_name = normalize(customer_name, nfc), address = normalize(address, nfc), notes = normalize(notes, nfc),
    internal_notes = normalize(internal_notes, nfc)
where customer_name is not nfc normalized or address is not nfc normalized or notes is not nfc normalized
    or internal_notes is not nfc normalized;
update customers set notes = normalize(notes, nfc) where notes is not nfc normalized;
update users
set first_name = normalize(first_name, nfc), last_name = normalize(last_name, nfc)
where first_name is not nfc normalized or last_name is not nfc normalized;
