insert into shops (name, address, phone, email, latitude, longitude, time_zone, slot_minutes, shop_capacity, home_capacity,
    home_radius_km, minimum_notice_minutes, booking_horizon_days)
values ('Namma', '1 Main Road', '+919876543210', 'shop@example.com', 12.5, 77.5, 'Asia/Kolkata', 40, 3, 1, 10, 60, 60);
insert into opening_hours (shop_id, weekday, opens_at, closes_at)
select 1, weekday, '09:10', case weekday when 7 then time '23:59' else '18:50' end from generate_series(1, 7) as weekday;
insert into holidays (shop_id, date, name) values (1, '2026-12-25', 'Christmas');
