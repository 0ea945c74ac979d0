insert into ended_identities (descope_user_id) values ('U-of-an-address-of-before');
