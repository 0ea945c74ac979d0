-- One booking that is long past, one that is paid and to come, and one that is cancelled.
begin;
insert into customers (phone) values ('+919876543210'), ('+1234567890');
insert into bookings (reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
    appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method, payment_status,
    booking_status, notes, access_token_sha256, access_token_expires_at)
values
    ('RMB-PAST', 1, 'Asha Rao', 'asha@example.com', 1, 'home', 'MG Road', current_date - 30, '10:30', '{10:30}', 30, 39000,
        'cash', 'completed', 'completed', 'It squeaks', sha256('past'), now()),
    ('RMB-NEXT', 1, 'Asha Rao', null, 1, 'shop', '', current_date + 7, '10:30', '{10:30,11:10}', 75, 75010,
        'razorpay', 'completed', 'confirmed', '', sha256('next'), now() + interval '40 days'),
    ('RMB-GONE', 2, 'John Doe', 'john@example.com', 2, 'shop', '', current_date + 8, '09:10', '{09:10}', 30, 45000,
        'razorpay', 'refunded', 'cancelled', '', sha256('gone'), now() + interval '40 days');
insert into booking_services (booking_id, service_id, price_paise) values (1, 1, 39000), (2, 1, 39000), (2, 2, 36010), (3, 1, 45000);
insert into slot_usage (pool, date, time, used, capacity) values
    ('shop', current_date + 7, '10:30', 1, 3), ('shop', current_date + 7, '11:10', 1, 3);
insert into booking_events (booking_id, event, from_status, to_status, actor, reason) values
    (1, 'created', null, 'pending', 'customer', ''), (1, 'completed', 'in_progress', 'completed', 'staff:desk', 'done'),
    (2, 'created', null, 'pending', 'customer', ''), (2, 'confirmed', 'pending', 'confirmed', 'staff:desk', ''),
    (3, 'created', null, 'pending', 'customer', ''), (3, 'cancelled', 'pending', 'cancelled', 'customer', 'sold');
commit;
