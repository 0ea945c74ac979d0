-- What a run of the reconciliation asks for next: orders of the last days whatever their state, refunds on their way.
drop index payments_open_checked_at_idx;
create index payments_updated_at_idx on payments (updated_at) where method = 'razorpay';
create index refunds_pending_updated_at_idx on refunds (updated_at) where state = 'pending';
