-- When the shop last took a role from a user. A session token says which roles its user had when it was issued, and
-- lives on for a while.
alter table users add column roles_changed_at timestamptz not null default '-infinity';

-- Whether the roles of a token count: its Descope user's address or number was proved here, because anyone can register
-- with the address of a person to whom the shop has given a role; and no role was taken away since the token was issued.
create function roles_count(descope_user_id text, user_id bigint, token_issued_at timestamptz)
returns boolean language sql stable as $$
    select exists (
        select from user_identities identity join users on users.id = identity.user_id
        where identity.descope_user_id = $1 and identity.user_id = $2 and identity.is_proven
            and users.roles_changed_at <= $3
    )
$$;
