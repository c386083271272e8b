-- Background work and mail, enqueued in the business transaction, so that a rollback takes them along.

create table jobs (
    id           bigint generated always as identity primary key,
    kind         text not null,
    payload      jsonb not null default '{}',
    -- two jobs with the same key never wait at the same time
    key          text,
    state        text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    run_at       timestamptz not null default now(),
    attempts     int not null default 0,
    max_attempts int not null default 12,
    last_error   text,
    -- a running job whose lease has ended was lost with its node, and is taken again
    lease_until  timestamptz,
    created_at   timestamptz not null default now(),
    finished_at  timestamptz
);
create index jobs_due on jobs (run_at) where state in ('queued', 'running');
create unique index jobs_key on jobs (key) where state = 'queued';

create table outbox (
    id         uuid primary key,
    recipient  text not null,
    subject    text not null,
    text       text not null,
    html       text not null,
    created_at timestamptz not null default now(),
    sent_at    timestamptz
);
create index outbox_recent on outbox (created_at desc);
