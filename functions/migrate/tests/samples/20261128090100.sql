insert into role_claims (user_id, takes_admin, expires_at) values (1, false, now());
update user_identities set roles = '{admin}' where descope_user_id = 'U1';
