-- When the user of a session last proved, in it, who they are: by signing in, or by a code to a number or address that
-- the account has. Null for a session that was opened by a token from elsewhere.
set local lock_timeout = '3s';
alter table user_sessions add column proved_at timestamptz;
