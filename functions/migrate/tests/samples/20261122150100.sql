-- Cash of the past, an order that was paid, one that was paid and given back, and one that nobody paid.
insert into payments (booking_id, method, amount_paise, state, receipt, order_id, actor) values
    (1, 'cash', 39000, 'settled', null, null, 'staff:desk'), (2, 'razorpay', 75010, 'settled', 'r-2', 'order_2', 'razorpay'),
    (3, 'razorpay', 45000, 'settled', 'r-3', 'order_3', 'razorpay'), (3, 'razorpay', 45000, 'closed', 'r-4', 'order_4', 'razorpay');
insert into captures (payment_id, booking_id, gateway_payment_id, state, amount_paise, pays_booking, refunded_paise, captured_at) values
    (1, 1, null, 'captured', 39000, true, 0, now() - interval '30 days'), (2, 2, 'pay_2', 'captured', 75010, true, 0, now()),
    (3, 3, 'pay_3', 'captured', 45000, true, 45000, now()), (4, 3, 'pay_4', 'failed', 45000, false, 0, null);
insert into refunds (capture_id, booking_id, amount_paise, state, idempotency_key, refund_id, reason, actor) values
    (3, 3, 40000, 'processed', 'k-1', 'rfnd_1', 'sold', 'system'), (3, 3, 5000, 'queued', 'k-2', null, '', 'staff:desk');
insert into payment_events (event_id, event, order_id, gateway_payment_id) values ('evt_1', 'payment.captured', 'order_2', 'pay_2');
