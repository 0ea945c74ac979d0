-- The last run of each job, for the shop's people.
create table job_runs (
    job text primary key,
    started_at timestamptz not null,
    -- Null while it runs, and if it was killed.
    ended_at timestamptz,
    outcome jsonb,
    error text
);

-- What a record of the history is called now; of a price, the service and the model.
create or replace function name_of_record(table_name text, record_id text) returns text language sql stable as $$
    select case table_name
        when 'service_prices' then (
            select service.name || ' · ' || brand.name || ' ' || model.name
            from services service, vehicle_models model join vehicle_brands brand on brand.id = model.vehicle_brand_id
            where service.id = split_part(record_id, '/', 1)::bigint and model.id = split_part(record_id, '/', 2)::bigint
        )
        when 'services' then (select name from services where id = record_id::bigint)
        when 'service_categories' then (select name from service_categories where id = record_id::bigint)
        when 'vehicle_models' then (select name from vehicle_models where id = record_id::bigint)
        when 'vehicle_brands' then (select name from vehicle_brands where id = record_id::bigint)
        when 'vehicle_types' then (select name from vehicle_types where id = record_id::bigint)
        when 'staff_keys' then (select label from staff_keys where id = record_id::bigint)
        when 'users' then name_of_actor('user:' || record_id)
        when 'customers' then 'Customer ' || record_id
        when 'customer_exports' then 'Customer ' || record_id
    end
$$;
