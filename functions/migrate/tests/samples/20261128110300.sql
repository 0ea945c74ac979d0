insert into job_runs (job, started_at, ended_at, outcome) values ('sweep', now(), now(), '{"outbox": 1}');
