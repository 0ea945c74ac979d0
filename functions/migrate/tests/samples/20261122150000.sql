insert into staff_keys (label, key_sha256, revoked_at) values ('desk', sha256('old'), now()), ('desk', sha256('new'), null);
