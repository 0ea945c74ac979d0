-- What the shop's people need to know of a booking: where it was made, what they note for themselves, whether its customer
-- came, and what each change of it changed.
set local lock_timeout = '3s';
create type booking_source as enum ('web', 'app', 'counter', 'phone');
alter table bookings
    add column source booking_source not null default 'web',
    -- For the shop's people: no customer sees them.
    add column internal_notes text not null default '',
    -- Cancelled because the customer did not come.
    add column is_no_show boolean not null default false,
    add constraint bookings_is_no_show_check check (booking_status = 'cancelled' or not is_no_show);
alter table customers
    -- For the shop's people, about the customer and not about one visit.
    add column notes text not null default '',
    -- Since then the row and its bookings name no person.
    add column erased_at timestamptz;
alter table booking_events
    -- What differs, by name: the old value and the new one, as in audit_events.
    add column changes jsonb not null default '{}';

-- With one parameter more, so it is another function. Statements that call it with six arguments or fewer, such as those of
-- the release before this one, find this one.
drop function write_event(bigint, text, booking_status, booking_status, text, text);
create function write_event(
    booking_id bigint, event text, from_status booking_status, to_status booking_status, actor text,
    reason text default '', changes jsonb default '{}'
) returns void language plpgsql as $$
begin
    insert into booking_events (booking_id, event, from_status, to_status, actor, reason, changes)
    values (write_event.booking_id, write_event.event, write_event.from_status, write_event.to_status, write_event.actor,
        write_event.reason, write_event.changes);
end $$;

-- Append-only, but for the erasure of a customer, which takes words out of reasons and changes and keeps what happened.
drop trigger booking_events_append_only on booking_events;
create trigger booking_events_append_only
    before update of id, booking_id, event, from_status, to_status, actor, created_at or delete or truncate
    on booking_events for each statement execute function refuse_change();
create function refuse_change_but_erasure() returns trigger language plpgsql as $$
begin
    if current_setting('app.erases_customer', true) is distinct from 'yes' then
        raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create trigger booking_events_words_change_by_erasure
    before update of reason, changes on booking_events
    for each statement execute function refuse_change_but_erasure();

-- The history tells that a customer was erased, and that a customer's data was handed out.
create trigger customers_history_of_updates
    after update on customers referencing old table as old_rows new table as new_rows
    for each statement execute function write_history('id', 'erased_at');
create table customer_exports (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customers (id),
    at timestamptz not null default now()
);
create index customer_exports_customer_id_idx on customer_exports (customer_id);
select record_history('customer_exports', 'customer_id', 'at');
