-- Roles as last seen at Descope, and users whom the shop has blocked.
set local lock_timeout = '3s';

alter table user_identities
    add column roles text[] not null default '{}',
    add constraint user_identities_roles_check check (array_position(roles, null) is null);
alter table users
    -- Those of all identities whose address or number was proved here; a trigger gathers them.
    add column roles text[] not null default '{}',
    -- From then on the user has no session.
    add column blocked_at timestamptz,
    add constraint users_roles_check check (array_position(roles, null) is null);
-- Few users have a role.
create index users_with_roles_idx on users (id) where roles <> '{}';

create function gather_roles() returns trigger language plpgsql as $$
begin
    update users set roles = gathered.roles
    from (
        select coalesce(array_agg(distinct role order by role), '{}') as roles
        from user_identities identity cross join unnest(identity.roles) as role
        where identity.user_id = old.user_id and identity.is_proven
    ) as gathered
    where users.id = old.user_id and users.roles <> gathered.roles;
    return null;
end $$;
create trigger user_identities_roles_change
    after update on user_identities
    for each row when ((old.roles, old.is_proven) is distinct from (new.roles, new.is_proven))
    execute function gather_roles();
create trigger user_identities_roles_end
    after delete on user_identities
    for each row when (old.roles <> '{}') execute function gather_roles();

-- Roles and blocking belong to the history, a profile does not.
create trigger users_history_of_updates
    after update on users referencing old table as old_rows new table as new_rows
    for each statement execute function write_history('id', 'roles,blocked_at');

-- The roles of a session token that count: none before its Descope user's address or number was proved here, and after a
-- change of roles here only those that were left.
create function roles_that_count(
    descope_user_id text, user_id bigint, token_issued_at timestamptz, token_roles text[]
) returns text[] language sql stable as $$
    select coalesce((
        select case when users.roles_changed_at <= $3 then $4 else identity.roles end
        from user_identities identity join users on users.id = identity.user_id
        where identity.descope_user_id = $1 and identity.user_id = $2 and identity.is_proven
    ), '{}')
$$;

-- Whether a token tells of roles that are not known here.
create function roles_are_news(
    descope_user_id text, token_issued_at timestamptz, token_roles text[]
) returns boolean language sql stable as $$
    select exists (
        select from user_identities identity join users on users.id = identity.user_id
        where identity.descope_user_id = $1 and identity.is_proven and users.roles_changed_at <= $2
            and identity.roles <> array(select distinct role from unnest($3) as role order by role)
    )
$$;

-- Changes of roles under way: no transaction is open while Descope is asked, so a row keeps a second change of the user
-- out. That of a killed function expires.
create table role_claims (
    id bigint generated always as identity primary key,
    user_id bigint not null references users (id),
    -- Whether the user may no longer be an administrator when it ends.
    takes_admin boolean not null,
    expires_at timestamptz not null,
    constraint role_claims_user_id_key unique (user_id)
);
