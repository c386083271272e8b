-- The Stripe sandbox keeps everything it was told and everything it answered, so that a restart loses nothing.
-- It lives in a schema of its own and is created anew whenever it is missing: the shop's migrations know nothing of it.

create schema if not exists stripe_sandbox;

-- A sandbox from before it knew connected accounts gets the columns that came with them.
do $$
begin
    if to_regclass('stripe_sandbox.objects') is not null and not exists (
        select from information_schema.columns where table_schema = 'stripe_sandbox' and table_name = 'objects' and column_name = 'owner')
    then
        alter table stripe_sandbox.objects
            add column owner text not null generated always as (coalesce(hidden->>'account', '')) stored,
            add column due_at bigint generated always as ((hidden->>'due_at')::bigint) stored,
            add column net bigint generated always as ((doc->>'net')::bigint) stored,
            add column available_on bigint generated always as ((doc->>'available_on')::bigint) stored,
            add column currency text generated always as (doc->>'currency') stored;
        alter table stripe_sandbox.events
            add column owner text not null generated always as (coalesce(doc->>'account', '')) stored;
        alter table stripe_sandbox.controls
            add column clock_ahead_s bigint not null default 0 check (clock_ahead_s >= 0),
            add column settle_days int not null default 0 check (settle_days between 0 and 30);
    end if;
end $$;

-- One row per object of Stripe's: the document as the API answers it, and what Stripe keeps to itself beside it.
create table if not exists stripe_sandbox.objects (
    -- order of creation: lists are answered newest first
    seq            bigint generated always as identity,
    id             text primary key,
    -- Stripe's name of it: 'checkout.session', 'charge', 'balance_transaction', 'account', 'transfer', 'payout', 'dispute' ...
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
    -- line items of a session, the card of an intent that waits for its 3-D Secure answer, what follows by itself and when
    hidden         jsonb not null default '{}',
    -- Whose it is: a connected account's id, or '' for the platform's.
    owner          text not null generated always as (coalesce(hidden->>'account', '')) stored,
    -- When Stripe does by itself what it does next with it: a payout arrives, a refund comes back.
    due_at         bigint generated always as ((hidden->>'due_at')::bigint) stored,
    -- Only entries of the balance: what they change it by, and from when on that can be spent.
    net            bigint generated always as ((doc->>'net')::bigint) stored,
    available_on   bigint generated always as ((doc->>'available_on')::bigint) stored,
    currency       text generated always as (doc->>'currency') stored
);
create index if not exists objects_kind on stripe_sandbox.objects (kind, seq desc);
create index if not exists objects_payment_intent on stripe_sandbox.objects (payment_intent, kind) where payment_intent is not null;
create index if not exists objects_charge on stripe_sandbox.objects (charge, kind) where charge is not null;
create index if not exists objects_owner on stripe_sandbox.objects (owner, kind, seq desc) where owner <> '';
create index if not exists objects_due on stripe_sandbox.objects (due_at) where due_at is not null;
create index if not exists objects_balance on stripe_sandbox.objects (owner, currency, available_on) include (net) where kind = 'balance_transaction';
-- What an account has is the sum of its entries, read from that index alone as long as the table is vacuumed soon after they come.
alter table stripe_sandbox.objects set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000);
create index if not exists objects_source on stripe_sandbox.objects ((doc->>'source')) where kind = 'balance_transaction';
create index if not exists objects_destination on stripe_sandbox.objects ((doc->>'destination')) where kind = 'transfer';
create index if not exists objects_group on stripe_sandbox.objects ((doc->>'transfer_group')) where kind = 'transfer';
create index if not exists objects_open_sessions on stripe_sandbox.objects (expires_at) where kind = 'checkout.session' and status = 'open';

create table if not exists stripe_sandbox.events (
    seq     bigint generated always as identity,
    id      text primary key,
    type    text not null,
    created bigint not null,
    -- the object as it was at that moment
    doc     jsonb not null,
    -- the connected account it happened at, or '' for the platform
    owner   text not null generated always as (coalesce(doc->>'account', '')) stored
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

-- What the files of `POST /v1/files` hold.
create table if not exists stripe_sandbox.files (
    id      text primary key,
    content bytea not null
);

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
    bank_debit       boolean not null default false,
    -- how far the sandbox's clock is ahead of the machine's; it only ever moves forward
    clock_ahead_s    bigint not null default 0 check (clock_ahead_s >= 0),
    -- days until the money of a card payment can be spent; 0: at once
    settle_days      int not null default 0 check (settle_days between 0 and 30)
);
insert into stripe_sandbox.controls default values on conflict do nothing;
