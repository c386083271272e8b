-- What /metrics counts, it counts in indexes that hold only what is counted: done jobs and events stay for long, and are many.

create index jobs_failed on jobs (id) where state = 'failed';
create index webhook_events_open on webhook_events (state) where state <> 'done';
