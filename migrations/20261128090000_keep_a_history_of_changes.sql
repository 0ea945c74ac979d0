-- Who changed what of the catalogue, the shop, staff keys and people. The database writes it, so no writer can leave it out.
create type audit_action as enum ('insert', 'update', 'delete');
create type audit_source as enum ('panel', 'api', 'import', 'migrate', 'job', 'psql');
create table audit_events (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    -- As in booking_events; `user:<id>` for people who are signed in.
    actor text not null,
    source audit_source not null,
    request_id text,
    table_name text collate "C" not null,
    -- The row's key as its readers know it: a price is that of a service and a model, whichever row holds it.
    record_id text collate "C" not null,
    action audit_action not null,
    -- What differs, by column: the old value and the new one.
    changes jsonb not null
);
-- Pages are in the order of time, because a day's rows are found by it.
create index audit_events_at_idx on audit_events (at, id);
create index audit_events_record_idx on audit_events (table_name, record_id, at, id);
create index audit_events_actor_idx on audit_events (actor, at, id);

create trigger audit_events_append_only
    before update or delete or truncate on audit_events
    for each statement execute function refuse_change();

-- Writes what a statement has changed, in one statement however many rows there are. Arguments of a trigger: the columns
-- that name a row, and the columns to record; without the latter all but the id and the moments that every row has.
create function write_history() returns trigger language plpgsql as $$
declare
    key text;
    differences text;
    rows_changed text := case tg_op
        when 'INSERT' then 'new_rows present left join new_rows former on false'
        when 'DELETE' then 'old_rows former left join old_rows present on false'
        else 'old_rows former full join new_rows present on %s = %s' end;
begin
    -- Concatenated, because the key of a price has two columns.
    select string_agg(format('%%1$s.%I::text', name), ' || ''/'' || ') into key
    from unnest(string_to_array(tg_argv[0], ',')) as name;
    select string_agg(
        format(
            'case when former.%1$I is distinct from present.%1$I
                then jsonb_build_object(%1$L, jsonb_build_array(former.%1$I, present.%1$I)) else ''{}'' end',
            attname
        ), ' || ' order by attnum
    ) into differences
    from pg_attribute
    where attrelid = tg_relid and attnum > 0 and not attisdropped and case
        when tg_nargs > 1 then attname = any (string_to_array(tg_argv[1], ','))
        else attname not in ('id', 'created_at', 'updated_at') end;
    execute format(
        'insert into audit_events (actor, source, request_id, table_name, record_id, action, changes)
        select $1, $2, $3, $4, record_id, action, changes
        from (
            select coalesce(%2$s, %1$s) as record_id,
                case when %1$s is null then ''insert'' when %2$s is null then ''delete'' else ''update'' end::audit_action
                    as action,
                %3$s as changes
            from %4$s
            -- Keeps the differences from being computed twice.
            offset 0
        ) as change
        where changes <> ''{}''',
        format(key, 'former'), format(key, 'present'), differences,
        format(rows_changed, format(key, 'former'), format(key, 'present'))
    ) using
        coalesce(nullif(current_setting('app.actor', true), ''), 'system'),
        coalesce(nullif(current_setting('app.source', true), ''), 'psql')::audit_source,
        nullif(current_setting('app.request_id', true), ''),
        tg_table_name;
    return null;
end $$;

-- Makes a table's changes recorded. Each event has its own trigger, because a trigger with transition tables has one event.
create function record_history(table_name regclass, key text, variadic columns text[] default '{}')
returns void language plpgsql as $$
declare
    arguments text := quote_literal(key) || coalesce(', ' || quote_literal(nullif(array_to_string(columns, ','), '')), '');
begin
    execute format(
        'create trigger %1$s_history_of_inserts after insert on %1$s referencing new table as new_rows
            for each statement execute function write_history(%2$s);
        create trigger %1$s_history_of_updates after update on %1$s
            referencing old table as old_rows new table as new_rows
            for each statement execute function write_history(%2$s);
        create trigger %1$s_history_of_deletes after delete on %1$s referencing old table as old_rows
            for each statement execute function write_history(%2$s)',
        table_name, arguments
    );
end $$;

-- Readers go on meanwhile; writers wait for the triggers, and give up early rather than hold up others.
set local lock_timeout = '3s';
select record_history('vehicle_types', 'id');
select record_history('vehicle_brands', 'id');
select record_history('vehicle_models', 'id');
select record_history('service_categories', 'id');
select record_history('services', 'id');
select record_history('service_prices', 'service_id,vehicle_model_id');
select record_history('shops', 'id');
select record_history('opening_hours', 'weekday');
select record_history('holidays', 'date');
-- Never the hash.
select record_history('staff_keys', 'id', 'label', 'revoked_at');
