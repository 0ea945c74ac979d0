-- What is swept is found without reading what stays: sessions that ended a month ago, messages delivered a month ago.
create index user_sessions_expires_at_idx on user_sessions (expires_at);
create index outbox_delivered_at_idx on outbox (delivered_at) where delivered_at is not null;
