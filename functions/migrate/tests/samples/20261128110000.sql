insert into customer_exports (customer_id) values (1);
