insert into accepted_mismatches (mismatch, subject_id, booking_id, reason, actor)
values ('not_given_back', 3, 3, 'paid by hand', 'user:1');
