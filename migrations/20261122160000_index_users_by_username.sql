-- An account whose first proof was cut short is found by the address that it was made with. A hash takes names of any
-- length, as Descope gives them.
create index users_username_idx on users using hash (username);
