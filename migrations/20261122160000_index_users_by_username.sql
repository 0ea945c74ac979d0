-- An account whose first proof was cut short is found by the address that it was made with.
create index users_username_idx on users (username);
