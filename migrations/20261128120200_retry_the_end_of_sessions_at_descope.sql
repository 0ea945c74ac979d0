-- Sessions that were revoked here while Descope was away are ended there by a job: when it is to try again, and how often
-- it has tried.
set local lock_timeout = '3s';
alter table user_sessions
    add column end_due_at timestamptz not null default '-infinity',
    add column end_attempts integer not null default 0,
    add constraint user_sessions_end_attempts_check check (end_attempts >= 0);
