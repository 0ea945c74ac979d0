insert into identity_replacements (descope_user_id, login_id, role_names)
values ('U2replaced', 'asha@example.com', '{staff}');
