insert into bookings_with_open_money (booking_id) values (1) on conflict do nothing;
