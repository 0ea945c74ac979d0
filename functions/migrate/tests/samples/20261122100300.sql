insert into idempotency_keys (scope, key_sha256, request_sha256, status, sealed_body)
values ('POST /api/bookings/', sha256('key'), sha256('body'), 201, 'sealed'), ('refund', sha256('other'), sha256('b'), null, null);
insert into outbox (kind, payload, delivered_at, failed_at) values
    ('refund', '{"refund_id": 1}', now(), null), ('refund', '{"refund_id": 2}', null, null), ('booking_created', '{"booking_id": 1}', null, now());
