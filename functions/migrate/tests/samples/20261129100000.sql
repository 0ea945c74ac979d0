update messages set settled_at = now(), settled_by = 'staff:user-1', actor = 'staff:user-1' where cause = 'outbox:1';
insert into message_channels (channel, place) values ('whatsapp', 1), ('email', 2);
