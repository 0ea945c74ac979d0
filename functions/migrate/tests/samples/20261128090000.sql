insert into audit_events (actor, source, table_name, record_id, action, changes)
values ('user:1', 'panel', 'services', '1', 'update', '{"name": ["Oil", "Oil change"]}');
