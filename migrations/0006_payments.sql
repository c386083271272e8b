-- Money in, as Stripe told it. One row per attempt; the order's row lock orders everything that happens to it.

create table payments (
    id                uuid primary key,
    order_id          uuid not null references orders,
    attempt           int not null check (attempt > 0),
    -- opening: the row exists, Stripe was not yet asked or did not answer · open: a session a person can pay
    -- processing: paid by a slow method · paid · failed · cancelled: session expired · surplus: paid, but the order
    -- could not take it (late and sold out, or paid twice); refunded by itself
    state             text not null default 'opening'
                      check (state in ('opening', 'open', 'processing', 'paid', 'failed', 'cancelled', 'surplus')),
    amount_minor      bigint not null check (amount_minor >= 0),
    currency          text not null,
    idempotency_key   text not null constraint payments_idempotency_key unique,
    stripe_session_id text constraint payments_session_key unique,
    stripe_intent_id  text constraint payments_intent_key unique,
    url               text,
    failure           text,
    expires_at        timestamptz not null,
    created_at        timestamptz not null default now(),
    settled_at        timestamptz,
    constraint payments_attempt_key unique (order_id, attempt)
);
-- An order is never paid twice.
create unique index payments_one_paid on payments (order_id) where state = 'paid';
create index payments_open on payments (created_at) where state in ('opening', 'open', 'processing');

create table refunds (
    id               uuid primary key,
    payment_id       uuid not null references payments,
    amount_minor     bigint not null check (amount_minor > 0),
    -- 'cancelled', 'sold_out', 'paid_twice', 'stripe_dashboard'
    reason           text not null,
    state            text not null default 'pending' check (state in ('pending', 'succeeded', 'failed')),
    idempotency_key  text not null constraint refunds_idempotency_key unique,
    stripe_refund_id text constraint refunds_stripe_key unique,
    created_at       timestamptz not null default now(),
    settled_at       timestamptz
);
create index refunds_payment on refunds (payment_id);

-- Parts never exceed the whole.
create function refunds_within_payment() returns trigger language plpgsql as $$
declare paid bigint;
begin
    select amount_minor into paid from payments where id = new.payment_id for update;
    if (select sum(amount_minor) from refunds where payment_id = new.payment_id and state <> 'failed') > paid then
        raise exception 'refunds exceed the payment' using errcode = 'check_violation', constraint = 'refunds_within';
    end if;
    return null;
end $$;
create trigger refunds_within after insert or update on refunds
    for each row execute function refunds_within_payment();

-- The webhook inbox: stored as it came, before anything is believed. The event id makes a repeat harmless.
create table webhook_events (
    id              text primary key,
    kind            text not null,
    payload         text not null,
    state           text not null default 'pending' check (state in ('pending', 'done', 'failed')),
    attempts        int not null default 0,
    deliveries      int not null default 1,
    last_error      text,
    received_at     timestamptz not null default now(),
    handled_at      timestamptz
);
create index webhook_events_recent on webhook_events (received_at desc);
