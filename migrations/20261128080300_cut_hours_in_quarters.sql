-- Opening, closing and slot length become multiples of 15 minutes, so that slots start and end on the quarters in which
-- capacity is counted. What is not is rounded:
--
-- * Closing at 23:59, the old spelling of midnight, becomes 24:00. The release before this one cannot read 24:00: until the
--   new code is deployed it answers 500 to what asks for the hours of such a day. No other shop is concerned.
-- * Other hours shrink to whole quarters: opening up, closing down. Nobody is sent to a closed door. A day of which nothing
--   is left has a closed door anyway, and goes.
-- * Slots get longer, so that no more jobs fit into a day than before.
set local lock_timeout = '3s';

with kept as (
    select shop_id, weekday, ceil(extract(epoch from opens_at) / 900)::integer as opens,
        case when closes_at >= '23:59' then 96 else floor(extract(epoch from closes_at) / 900)::integer end as closes
    from opening_hours
    where extract(epoch from opens_at) % 900 <> 0 or extract(epoch from closes_at) % 900 <> 0
), gone as (
    delete from opening_hours hours using kept
    where (hours.shop_id, hours.weekday) = (kept.shop_id, kept.weekday) and kept.opens >= kept.closes
    returning 1
), rounded as (
    update opening_hours hours
    set opens_at = make_time(kept.opens / 4, kept.opens % 4 * 15, 0),
        closes_at = case kept.closes when 96 then time '24:00' else make_time(kept.closes / 4, kept.closes % 4 * 15, 0) end
    from kept
    where (hours.shop_id, hours.weekday) = (kept.shop_id, kept.weekday) and kept.opens < kept.closes
    returning 1
), slots as (
    update shops set slot_minutes = (slot_minutes + 14) / 15 * 15, updated_at = now()
    where slot_minutes % 15 <> 0
    returning 1
)
-- Cached answers show the hours.
update catalogue_versions set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
where exists (select from gone) or exists (select from rounded) or exists (select from slots);

alter table opening_hours
    add constraint opening_hours_quarters_check
    check (extract(epoch from opens_at) % 900 = 0 and extract(epoch from closes_at) % 900 = 0);
alter table shops
    add constraint shops_slot_minutes_quarters_check check (slot_minutes % 15 = 0);
