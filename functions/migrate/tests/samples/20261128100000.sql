insert into panel_sessions (cookie_sha256, session_id, roles, roles_asked_at) values (sha256('cookie'), 1, '{admin}', now());
