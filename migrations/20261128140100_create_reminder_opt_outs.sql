-- Customers who want no reminders. Confirmations and cancellations reach them all the same.
create table reminder_opt_outs (
    customer_id bigint primary key references customers (id),
    created_at timestamptz not null default now()
);
