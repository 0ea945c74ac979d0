set local lock_timeout = '3s';
alter table staff_keys
    -- The actor, as in audit_events. Unknown for keys of before.
    add column created_by text,
    -- Noted once a minute.
    add column last_used_at timestamptz;

-- What people call the actor of a change: the present name of a user, or what the account was made with. Null for an actor
-- who is no user.
create function name_of_actor(actor text) returns text language sql stable as $$
    select coalesce(nullif(trim(concat_ws(' ', first_name, last_name)), ''), username)
    from users
    where id = substring(actor from '^(?:user:|staff:user-)([0-9]{1,18})$')::bigint
$$;
