insert into disputes (dispute_id, gateway_payment_id, amount_paise, status) values ('disp_1', 'pay_2', 75010, 'open');
insert into unmatched_entries (entity_id, kind, amount_paise, reason) values ('pay_9', 'payment', 100, 'of no order');
insert into settlement_days (day, entry_count) values (current_date - 1, 2);
