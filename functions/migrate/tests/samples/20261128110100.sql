insert into cash_days (date, expected_paise, counted_paise, left_paise, reason, closed_by)
values (current_date - 1, 0, 100, 100, 'found', 'user:1');
