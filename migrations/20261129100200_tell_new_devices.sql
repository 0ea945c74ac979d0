-- Whether a user who has signed in before has not done so on this device. Versions in the name of a browser or an app change by
-- themselves, so they are left out.
set local lock_timeout = '3s';
create function has_new_device(user_id bigint, user_agent text) returns boolean language sql stable as $$
    select count(*) > 0 and not coalesce(
        bool_or(regexp_replace(before.user_agent, '[0-9._]+', '', 'g') = regexp_replace($2, '[0-9._]+', '', 'g')), false
    )
    from user_sessions before where before.user_id = $1
$$;
