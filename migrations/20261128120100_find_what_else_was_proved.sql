-- Whether a number or address was proved in an account beside this Descope user, number and address. Such an account
-- belongs to the person who proved it, whoever else may own the unproved address that it was made with.
create function has_another_proof(user_id bigint, descope_user_id text, phone text, email text)
returns boolean language sql stable as $$
    select exists (
        select from user_identities other
        where other.user_id = $1 and other.is_proven and other.descope_user_id is distinct from $2
    ) or exists (
        select from users
        where users.id = $1 and (
            (users.is_phone_verified and users.phone is distinct from $3)
            or (users.is_email_verified and users.email is distinct from $4)
        )
    )
$$;

-- A Descope user is replaced by deleting it and creating another with its roles and one proved login id. A row is what
-- remains to be done if that is cut short; a job finishes it.
create table identity_replacements (
    -- The Descope user that is deleted.
    descope_user_id text primary key,
    login_id text not null,
    role_names text[] not null,
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    -- The request that began it is over by then.
    due_at timestamptz not null default now() + interval '2 minutes',
    constraint identity_replacements_attempts_check check (attempts >= 0)
);
create index identity_replacements_due_at_idx on identity_replacements (due_at);
