-- The drawer: every movement of cash, and the count that closes a day. A closed day does not change: what is entered later,
-- and what was entered meanwhile and committed later, falls into the next one.
create table cash_days (
    date date primary key,
    -- What was left by the day before, and the day's movements.
    expected_paise bigint not null,
    counted_paise bigint not null,
    -- Of what was counted, what stays for change; the rest goes to the bank.
    left_paise bigint not null,
    reason text not null default '',
    closed_by text not null,
    closed_at timestamptz not null default now(),
    constraint cash_days_counted_paise_check check (counted_paise >= 0),
    constraint cash_days_left_paise_check check (left_paise between 0 and counted_paise),
    constraint cash_days_reason_check check (counted_paise = expected_paise or reason <> '')
);
create trigger cash_days_append_only
    before update or delete or truncate on cash_days
    for each statement execute function refuse_change();

create table cash_movements (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    booking_id bigint not null references bookings (id),
    -- One of the two: cash taken, or cash given back.
    capture_id bigint references captures (id),
    refund_id bigint references refunds (id),
    -- Negative if it was given back.
    amount_paise bigint not null,
    actor text not null,
    -- The day that it was counted in; null while that day is open.
    cash_day date references cash_days (date) deferrable initially deferred,
    constraint cash_movements_capture_id_key unique (capture_id),
    constraint cash_movements_refund_id_key unique (refund_id),
    constraint cash_movements_amount_paise_check check (
        case when capture_id is null then refund_id is not null and amount_paise < 0
            else refund_id is null and amount_paise > 0 end
    )
);
create index cash_movements_booking_id_idx on cash_movements (booking_id);
create index cash_movements_cash_day_idx on cash_movements (cash_day, at);

create function keep_cash_movement() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.cash_day is not null
        or (old.id, old.at, old.booking_id, old.capture_id, old.refund_id, old.amount_paise, old.actor)
            is distinct from
            (new.id, new.at, new.booking_id, new.capture_id, new.refund_id, new.amount_paise, new.actor) then
        raise exception 'a movement of cash does not change' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger cash_movements_keep
    before update or delete on cash_movements for each row execute function keep_cash_movement();
create trigger cash_movements_keep_all
    before truncate on cash_movements for each statement execute function refuse_change();

set local lock_timeout = '3s';
alter table refunds
    -- Given back at the shop, not by Razorpay: from the drawer or from the shop's bank account.
    add column by_hand text,
    add constraint refunds_by_hand_check check (by_hand in ('cash', 'transfer'));

-- Triggers, because the release before this one takes cash too.
create function move_cash_in() returns trigger language plpgsql as $$
begin
    insert into cash_movements (booking_id, capture_id, amount_paise, actor)
    select new.booking_id, new.id, new.amount_paise, payment.actor from payments payment where payment.id = new.payment_id;
    return null;
end $$;
create trigger captures_move_cash
    after insert on captures for each row
    when (new.gateway_payment_id is null and new.state = 'captured') execute function move_cash_in();

create function move_cash_out() returns trigger language plpgsql as $$
begin
    insert into cash_movements (booking_id, refund_id, amount_paise, actor)
    select new.booking_id, new.id, -new.amount_paise, new.actor
    from captures capture
    where capture.id = new.capture_id
        and (new.by_hand = 'cash' or (capture.gateway_payment_id is null and new.by_hand is null))
    on conflict (refund_id) do nothing;
    return null;
end $$;
create trigger refunds_move_cash
    after insert or update of state on refunds for each row
    when (new.state = 'processed') execute function move_cash_out();

-- Cash of before: each past day is closed as it was, without a count.
insert into cash_movements (at, booking_id, capture_id, refund_id, amount_paise, actor)
select at, booking_id, capture_id, refund_id, amount_paise, actor
from (
    select capture.captured_at as at, capture.booking_id, capture.id as capture_id, null::bigint as refund_id,
        capture.amount_paise, payment.actor
    from captures capture join payments payment on payment.id = capture.payment_id
    where capture.gateway_payment_id is null and capture.state = 'captured'
    union all
    select refund.updated_at, refund.booking_id, null, refund.id, -refund.amount_paise, refund.actor
    from refunds refund join captures capture on capture.id = refund.capture_id
    where capture.gateway_payment_id is null and refund.state = 'processed'
) as movement
order by at;
insert into cash_days (date, expected_paise, counted_paise, left_paise, reason, closed_by)
select shop_clock(at)::date, sum(amount_paise), greatest(sum(amount_paise), 0), 0, 'before days were counted here', 'system'
from cash_movements
where shop_clock(at)::date < shop_clock(now())::date
group by 1;
update cash_movements set cash_day = shop_clock(at)::date where shop_clock(at)::date < shop_clock(now())::date;
