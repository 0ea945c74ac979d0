-- Messages to people. Each is sent once, or not at all, never twice: no carrier has an idempotency key, so what may have been
-- sent is never sent again.
set local lock_timeout = '3s';
create table messages (
    id bigint generated always as identity primary key,
    -- What it tells of, such as `outbox:17` or a reminder of one appointment.
    cause text not null,
    channel text not null,
    -- A number in E.164, or an address.
    recipient text not null,
    kind text not null,
    language text not null,
    booking_id bigint references bookings (id),
    user_id bigint references users (id),
    -- What is known only when it is written: the appointment before a move, the one that a reminder is for.
    details jsonb not null default '{}',
    state text not null default 'pending',
    attempts integer not null default 0,
    due_at timestamptz not null,
    -- From then on it is worth nothing and is not sent.
    worthless_at timestamptz not null,
    -- While it is being sent. A lease that has run out makes it `unknown`: a killed job may have sent it.
    leased_until timestamptz,
    -- The carrier's id of it.
    provider_id text,
    -- Why it is not sent yet, was dropped, or has failed. No personal data.
    reason text not null default '',
    -- The message on another channel that this one replaces.
    instead_of bigint references messages (id) on delete set null,
    is_fallback boolean not null default false,
    -- Whether it failed so that another channel is to be tried.
    falls_back boolean not null default false,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    -- When it was dropped, failed or became unknown.
    ended_at timestamptz,
    constraint messages_cause_channel_recipient_key unique (cause, channel, recipient),
    constraint messages_channel_check check (channel in ('whatsapp', 'sms', 'email')),
    constraint messages_language_check check (language in ('en', 'hi')),
    constraint messages_state_check check (
        state in ('pending', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'dropped')
    ),
    constraint messages_leased_until_check check ((state = 'sending') = (leased_until is not null)),
    constraint messages_attempts_check check (attempts >= 0)
);
create index messages_due_at_idx on messages (due_at, id) where state = 'pending';
create index messages_leased_until_idx on messages (leased_until) where state = 'sending';
create index messages_booking_id_id_idx on messages (booking_id, id);
create index messages_user_id_idx on messages (user_id) where user_id is not null;
create index messages_channel_provider_id_idx on messages (channel, provider_id) where provider_id is not null;
create index messages_instead_of_idx on messages (instead_of) where instead_of is not null;
create index messages_created_at_idx on messages (created_at);
-- A customer is told of a cause once; on another channel only where one has failed.
create unique index messages_first_way_key on messages (cause) where not is_fallback and kind not like 'staff%';
create index messages_falls_back_idx on messages (id) where falls_back;
-- Several moves in a row become one message: the one that waits is told again instead of another.
create unique index messages_one_move_key on messages (booking_id, kind, channel, recipient)
    where kind in ('booking_rescheduled', 'staff_booking_rescheduled') and state = 'pending';

-- A state only moves forward, also if something is told twice or out of order. Back to `pending` leads only a carrier's word that it
-- has sent nothing.
create function move_message_forward() returns trigger language plpgsql as $$
begin
    if new.state <> old.state and not new.state = any (case old.state
        when 'pending' then array['sending', 'dropped', 'failed']
        when 'sending' then array['pending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'dropped']
        when 'unknown' then array['sent', 'delivered', 'read', 'failed']
        when 'sent' then array['delivered', 'read', 'failed']
        when 'delivered' then array['read']
        else array[]::text[]
    end) then
        raise exception 'message % cannot become % after %', old.id, new.state, old.state
            using errcode = 'check_violation', constraint = 'messages_state_forward_check';
    end if;
    return new;
end $$;
create trigger messages_state_forward_check before update of state on messages
    for each row execute function move_message_forward();

-- Whether a move is told by another message that waits already, so that this one need not.
create function is_told_by_another(message messages) returns boolean language sql stable as $$
    select message.kind in ('booking_rescheduled', 'staff_booking_rescheduled') and exists (
        select from messages other
        where other.booking_id = message.booking_id and other.kind = message.kind and other.channel = message.channel
            and other.recipient = message.recipient and other.state = 'pending' and other.id <> message.id
    )
$$;

-- Where nothing is sent any more, by channel.
create table blocked_recipients (
    channel text not null,
    recipient text not null,
    -- `bounced`, `complained`, `not_on_whatsapp` or `stop`, which the person wrote.
    reason text not null,
    created_at timestamptz not null default now(),
    primary key (channel, recipient),
    constraint blocked_recipients_channel_check check (channel in ('whatsapp', 'sms', 'email')),
    constraint blocked_recipients_reason_check check (reason in ('bounced', 'complained', 'not_on_whatsapp', 'stop'))
);

-- Who has agreed to messages on WhatsApp, when and how: Meta demands it.
create table message_opt_ins (
    channel text not null,
    recipient text not null,
    -- `booking`: the form said so; `start`: the person wrote START.
    how text not null,
    at timestamptz not null,
    primary key (channel, recipient),
    constraint message_opt_ins_how_check check (how in ('booking', 'start'))
);

-- The shop's own words in mails of a kind, which stand before ours.
create table message_texts (
    kind text not null,
    language text not null,
    text text not null,
    updated_at timestamptz not null default now(),
    primary key (kind, language),
    constraint message_texts_language_check check (language in ('en', 'hi')),
    constraint message_texts_text_check check (length(text) between 1 and 2000)
);
select record_history('message_texts', 'kind,language');

alter table customers
    -- The language of messages; null for the shop's.
    add column language text,
    add constraint customers_language_check check (language in ('en', 'hi'));

-- How a person can be reached, best first: by the channels in their order, without those that are blocked. WhatsApp needs an
-- opt-in; SMS is registered with India's operators alone.
create function message_ways(channels text[], phone text, email text)
returns table (place bigint, channel text, recipient text) language sql stable as $$
    select wanted.place, wanted.channel, way.recipient
    from unnest($1) with ordinality as wanted (channel, place)
    cross join lateral (select case wanted.channel when 'email' then lower($3) else $2 end) as way (recipient)
    where way.recipient <> ''
        and (wanted.channel <> 'sms' or way.recipient like '+91%')
        and not exists (
            select from blocked_recipients blocked
            where blocked.channel = wanted.channel and blocked.recipient = way.recipient
        )
        and (
            wanted.channel <> 'whatsapp'
            or exists (
                select from message_opt_ins opt_in
                where opt_in.channel = wanted.channel and opt_in.recipient = way.recipient
            )
        )
    order by wanted.place
$$;
