insert into booking_links (booking_id, token_sha256, scope, purpose) values
    (1, sha256('a link to look'), 'view', 'booking_created'), (1, sha256('a link to change'), 'change', 'staff');
update booking_links set revoked_at = now() where purpose = 'staff';
