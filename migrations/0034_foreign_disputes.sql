-- Disputes that Stripe reckons in another currency than the payment. Neither `disputes` nor the books can hold what they move; but a bank
-- waits for an answer all the same, so that the operator sees them and answers in Stripe's dashboard.
create table foreign_disputes (
    stripe_dispute_id text primary key,
    payment_id        uuid not null references payments,
    order_id          uuid not null references orders,
    -- in Stripe's own currency, as its amount is
    amount_minor      bigint not null check (amount_minor > 0),
    currency          text not null check (currency ~ '^[A-Z]{3}$'),
    reason            text not null check (char_length(reason) between 1 and 60),
    status            text not null check (status in ('warning_needs_response', 'warning_under_review', 'warning_closed',
                                                      'needs_response', 'under_review', 'prevented', 'won', 'lost')),
    evidence_due_at   timestamptz,
    -- when the sweeper last asked how it stands
    asked_at          timestamptz,
    opened_at         timestamptz not null
);
create index foreign_disputes_open on foreign_disputes (evidence_due_at)
    where status in ('warning_needs_response', 'warning_under_review', 'needs_response', 'under_review');
