-- no-transaction
-- The panel counts them on each page of today.
create index concurrently if not exists messages_undelivered_idx on messages (id)
    where state in ('failed', 'unknown') and settled_at is null;
