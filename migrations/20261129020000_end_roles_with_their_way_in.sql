-- Descope users of a number or address that was replaced or removed. Their roles at Descope count no longer: the number or
-- address may be another person's by now, who can prove it.
create table ended_identities (
    descope_user_id text primary key,
    ended_at timestamptz not null default now()
);

create function keep_ended_identity() returns trigger language plpgsql as $$
begin
    insert into ended_identities (descope_user_id) values (old.descope_user_id) on conflict do nothing;
    return null;
end $$;

set local lock_timeout = '3s';
create trigger user_identities_end
    after delete on user_identities
    for each row when (old.roles <> '{}' and old.is_proven) execute function keep_ended_identity();
