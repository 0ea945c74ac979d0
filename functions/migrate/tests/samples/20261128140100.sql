insert into reminder_opt_outs (customer_id) values (1);
