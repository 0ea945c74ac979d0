insert into messages (cause, channel, recipient, kind, language, booking_id, details, state, due_at, worthless_at, leased_until)
values
    ('outbox:1', 'whatsapp', '+919876543210', 'booking_confirmed', 'en', 1, '{}', 'sent', now(), now() + interval '1 day', null),
    ('outbox:2', 'email', 'jane@example.com', 'booking_rescheduled', 'hi', 1, '{"was": "2026-11-24T10:00:00"}', 'pending', now(),
        now() + interval '1 day', null),
    ('outbox:3', 'sms', '+919876543210', 'booking_reminder', 'en', 1, '{}', 'sending', now(), now() + interval '1 day', now());
insert into blocked_recipients (channel, recipient, reason) values ('sms', '+919876543210', 'stop');
insert into message_opt_ins (channel, recipient, how, at) values ('whatsapp', '+919876543210', 'booking', now());
insert into message_texts (kind, language, text) values ('booking_confirmed', 'en', 'Park behind the shop.');
