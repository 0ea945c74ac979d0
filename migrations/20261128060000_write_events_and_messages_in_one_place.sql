-- The one writer of the timeline and the one writer of the outbox. Called inside the statement that makes the change, so that
-- a change, its event and its message stay one round trip.
create function write_event(
    booking_id bigint, event text, from_status booking_status, to_status booking_status, actor text, reason text default ''
) returns void language plpgsql as $$
begin
    insert into booking_events (booking_id, event, from_status, to_status, actor, reason)
    values (write_event.booking_id, write_event.event, write_event.from_status, write_event.to_status, write_event.actor,
        write_event.reason);
end $$;

create function write_message(kind text, payload jsonb) returns void language plpgsql as $$
begin
    insert into outbox (kind, payload) values (write_message.kind, write_message.payload);
end $$;
