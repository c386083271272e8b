-- The Stripe sandbox keeps everything it was told and everything it answered, so that a restart loses nothing.
-- It lives in a schema of its own and is created anew whenever it is missing: the shop's migrations know nothing of it.

create schema if not exists stripe_sandbox;

-- One row per object of Stripe's: the document as the API answers it, and what Stripe keeps to itself beside it.
create table if not exists stripe_sandbox.objects (
    -- order of creation: lists are answered newest first
    seq            bigint generated always as identity,
    id             text primary key,
    -- 'checkout.session', 'payment_intent', 'charge', 'refund', 'balance_transaction', 'payment_method', 'product', 'price'
    kind           text not null,
    created        bigint not null,
    -- what it belongs to, for the filters of lists
    session        text,
    payment_intent text,
    charge         text,
    status         text,
    -- only sessions: when an open one ends by itself
    expires_at     bigint,
    doc            jsonb not null,
    -- line items of a session, the card of an intent that waits for its 3-D Secure answer
    hidden         jsonb not null default '{}'
);
create index if not exists objects_kind on stripe_sandbox.objects (kind, seq desc);
create index if not exists objects_payment_intent on stripe_sandbox.objects (payment_intent, kind) where payment_intent is not null;
create index if not exists objects_charge on stripe_sandbox.objects (charge, kind) where charge is not null;
create index if not exists objects_open_sessions on stripe_sandbox.objects (expires_at) where kind = 'checkout.session' and status = 'open';

create table if not exists stripe_sandbox.events (
    seq     bigint generated always as identity,
    id      text primary key,
    type    text not null,
    created bigint not null,
    -- the object as it was at that moment
    doc     jsonb not null
);
create index if not exists events_type on stripe_sandbox.events (type, seq desc);
create index if not exists events_seq on stripe_sandbox.events (seq desc);

-- Webhooks to send, one row per copy. held: waits to be shuffled · dropped: never sent, on purpose.
create table if not exists stripe_sandbox.deliveries (
    id           bigint generated always as identity primary key,
    event_id     text not null references stripe_sandbox.events on delete cascade,
    state        text not null default 'pending' check (state in ('pending', 'held', 'delivered', 'failed', 'dropped')),
    attempts     int not null default 0,
    -- a sender that takes the row moves this on by its lease, so that a lost sender's row is taken again
    next_at      timestamptz not null default now(),
    status       int,
    error        text,
    created_at   timestamptz not null default now(),
    delivered_at timestamptz
);
create index if not exists deliveries_due on stripe_sandbox.deliveries (next_at, id) where state = 'pending';
create index if not exists deliveries_held on stripe_sandbox.deliveries (created_at) where state = 'held';
create index if not exists deliveries_event on stripe_sandbox.deliveries (event_id);

-- The answers kept for Idempotency-Key. running: not answered yet.
create table if not exists stripe_sandbox.idempotency (
    -- SHA-256 of the secret key: two accounts never share answers
    account      text not null,
    key          text not null,
    fingerprint  text not null,
    status       int,
    body         text,
    request_id   text not null,
    created_at   timestamptz not null default now(),
    primary key (account, key)
);
create index if not exists idempotency_age on stripe_sandbox.idempotency (created_at);

-- What the control page has set: one row.
create table if not exists stripe_sandbox.controls (
    only_row         boolean primary key default true check (only_row),
    webhook_delay_ms bigint not null default 0 check (webhook_delay_ms between 0 and 3600000),
    webhook_repeat   int not null default 0 check (webhook_repeat between 0 and 20),
    -- so many of the next events are not sent; -1: all
    webhook_drop     int not null default 0 check (webhook_drop between -1 and 100000),
    webhook_reorder  boolean not null default false,
    api_fail         int not null default 0 check (api_fail between 0 and 100000),
    api_hang_ms      bigint not null default 0 check (api_hang_ms between 0 and 600000),
    -- offers a slow bank debit beside cards, as the payment method settings of the dashboard do
    bank_debit       boolean not null default false
);
insert into stripe_sandbox.controls default values on conflict do nothing;
