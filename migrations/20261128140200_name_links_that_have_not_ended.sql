-- Links that have not ended: neither revoked nor older than the access token of their booking.
create view live_booking_links as
    select link.id, link.booking_id, link.token_sha256, link.scope, link.purpose, link.created_at
    from booking_links link join bookings booking on booking.id = link.booking_id
    where link.revoked_at is null and booking.access_token_expires_at > now();
