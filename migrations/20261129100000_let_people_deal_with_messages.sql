-- What people of the shop do about messages that did not arrive, and by which channels messages go.
set local lock_timeout = '3s';
alter table messages
    -- Who asked for it on purpose; null for what the system wrote by itself.
    add column actor text,
    -- When a person has dealt with it: it was sent again, is known to have arrived, or was told in another way.
    add column settled_at timestamptz,
    add column settled_by text,
    add constraint messages_settled_by_check check ((settled_at is null) = (settled_by is null));

-- Messages whose recipient was perhaps not told, and that no other message replaces.
create view undelivered_messages as
    select message.*
    from messages message
    where message.state in ('failed', 'unknown') and message.settled_at is null and not message.falls_back
        and not exists (select from messages other where other.instead_of = message.id);

-- The channels that are configured, as the job that sends has found them, in the order in which they are tried.
create table message_channels (
    channel text primary key,
    place integer not null,
    constraint message_channels_channel_check check (channel in ('whatsapp', 'sms', 'email')),
    constraint message_channels_place_check check (place > 0)
);
