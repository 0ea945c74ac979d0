-- Statements of the panel cost so much by estimate that Postgres compiles them, for ten times as long as they take.
-- Who does not own the database cannot set this for it: then the server's setting stays.
do $$
begin
    execute format('alter database %I set jit = off', current_database());
exception
    when insufficient_privilege then
        raise notice 'jit stays as the server has it';
end
$$;
