insert into users (username, email, is_email_verified, phone, is_phone_verified, first_name, last_name) values
    ('asha@example.com', 'asha@example.com', true, '+919876543210', true, 'Asha', 'Rao'),
    ('+1234567890', null, false, '+1234567890', true, '', '');
insert into user_identities (descope_user_id, user_id, phone, is_proven) values
    ('U1', 1, null, true), ('U2', 1, '+919876543210', true), ('U3', 2, '+1234567890', false);
insert into user_sessions (user_id, descope_user_id, refresh_token_sealed, user_agent, ip_address, expires_at, revoked_at) values
    (1, 'U1', 'sealed', 'Firefox', '203.0.113.9', now() + interval '28 days', null),
    (2, 'U3', 'sealed', '', '', now() + interval '28 days', now());
insert into session_tokens (token_sha256, kind, session_id, expires_at) values
    (sha256('session'), 'session', 1, now()), (sha256('refresh'), 'refresh', 1, now() + interval '28 days');
