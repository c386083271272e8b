-- Disputes: a shopper has asked the bank for the money back, and the bank takes it until it has decided. And reconciliation: what
-- Stripe says it moved, beside what the books say.

create table disputes (
    id                uuid primary key,
    stripe_dispute_id text not null constraint disputes_stripe_key unique,
    payment_id        uuid not null references payments,
    order_id          uuid not null references orders,
    amount_minor      bigint not null constraint disputes_amount check (amount_minor > 0),
    currency          text not null check (currency ~ '^[A-Z]{3}$'),
    -- why, in the bank's word: `fraudulent`, `product_not_received` ...
    reason            text not null check (char_length(reason) between 1 and 60),
    -- warning_…: the bank only asks; it takes no money yet, and may never
    status            text not null check (status in ('warning_needs_response', 'warning_under_review', 'warning_closed',
                                                      'needs_response', 'under_review', 'prevented', 'won', 'lost')),
    -- by when the bank wants our evidence; null where it wants none
    evidence_due_at   timestamptz,
    -- what left our balance and what came back, as Stripe's balance says; null: nothing yet. The fee is Stripe's, whoever wins.
    withdrawn_minor   bigint check (withdrawn_minor > 0),
    reinstated_minor  bigint check (reinstated_minor > 0),
    fee_minor         bigint not null default 0 check (fee_minor >= 0),
    withdrawn_at      timestamptz,
    reinstated_at     timestamptz,
    -- Stripe would refund what is left of the charge
    refundable        boolean not null,
    -- the operator's own words to the bank, a draft until they are sent
    words             text not null default '' constraint disputes_words_length check (char_length(words) <= 10000),
    -- the operator said "send it": from then on the evidence is frozen
    submitted_at      timestamptz,
    submitted_by      uuid references users,
    -- what was said then, field by field, as Stripe is told it
    said              jsonb,
    -- Stripe has it · why Stripe would not take it
    sent_at           timestamptz,
    refused           text check (char_length(refused) <= 500),
    -- when the sweeper last asked how it stands
    asked_at          timestamptz,
    opened_at         timestamptz not null,
    closed_at         timestamptz,
    constraint disputes_withdrawn check ((withdrawn_at is null) = (withdrawn_minor is null)),
    constraint disputes_reinstated check ((reinstated_at is null) = (reinstated_minor is null)
        and (reinstated_minor is null or withdrawn_minor is not null)),
    constraint disputes_submitted check ((submitted_at is null) = (submitted_by is null) and (submitted_at is null) = (said is null) and (sent_at is null or submitted_at is not null))
);
create index disputes_payment on disputes (payment_id);
create index disputes_order on disputes (order_id);
create index disputes_open on disputes (evidence_due_at)
    where status in ('warning_needs_response', 'warning_under_review', 'needs_response', 'under_review');
create index disputes_recent on disputes (opened_at desc, id desc);

-- Whose money it is: split when the dispute comes, by what is left of each parcel, with the frozen figures in proportion. One without a
-- parcel is the platform's own: of a payment that no order took, or more than was left.
create table dispute_parts (
    dispute_id      uuid not null references disputes,
    vendor_order_id uuid references vendor_orders,
    amount_minor    bigint not null check (amount_minor > 0),
    tax_minor       bigint not null default 0 check (tax_minor >= 0),
    fee_minor       bigint not null default 0 check (fee_minor >= 0),
    fee_vat_minor   bigint not null default 0 check (fee_vat_minor >= 0),
    platform_discount_minor bigint not null default 0 check (platform_discount_minor >= 0),
    constraint dispute_parts_key unique nulls not distinct (dispute_id, vendor_order_id)
);
create index dispute_parts_vendor_order on dispute_parts (vendor_order_id) where vendor_order_id is not null;
create trigger only_added_to before update or delete or truncate on dispute_parts for each statement execute function only_added_to();

-- The parts sum to the dispute, checked when the transaction ends.
create function dispute_must_be_its_parts() returns trigger language plpgsql as $$
declare
    d disputes;
begin
    if tg_table_name = 'disputes' then
        select * into d from disputes where id = new.id;
    else
        select * into d from disputes where id = new.dispute_id;
    end if;
    if d.amount_minor <> (select coalesce(sum(p.amount_minor), 0) from dispute_parts p where p.dispute_id = d.id) then
        raise exception 'the parts of dispute % do not sum to it', d.id using errcode = 'check_violation', constraint = 'dispute_parts_sum';
    end if;
    return null;
end $$;
create constraint trigger dispute_parts_sum after insert on disputes
    deferrable initially deferred for each row execute function dispute_must_be_its_parts();
create constraint trigger dispute_parts_sum after insert on dispute_parts
    deferrable initially deferred for each row execute function dispute_must_be_its_parts();

-- What Stripe said of a dispute once is not unsaid: money that moved has moved, a decision stands, evidence that was sent is as it was sent.
create function dispute_keeps() returns trigger language plpgsql as $$
begin
    if (new.stripe_dispute_id, new.payment_id, new.order_id, new.amount_minor, new.currency)
           is distinct from (old.stripe_dispute_id, old.payment_id, old.order_id, old.amount_minor, old.currency)
       or (old.withdrawn_minor is not null and new.withdrawn_minor is distinct from old.withdrawn_minor)
       or (old.reinstated_minor is not null and new.reinstated_minor is distinct from old.reinstated_minor)
       or (old.status in ('won', 'lost', 'prevented') and new.status <> old.status)
       or (old.submitted_at is not null and new.submitted_at is not null and new.words <> old.words)
       or (old.sent_at is not null and (new.sent_at, new.submitted_at) is distinct from (old.sent_at, old.submitted_at)) then
        raise exception 'a dispute keeps what was said of it' using errcode = 'restrict_violation', constraint = 'dispute_keeps';
    end if;
    return new;
end $$;
create trigger dispute_keeps before update on disputes for each row execute function dispute_keeps();

-- What a vendor has to say to it; the operator sends it along.
create table dispute_statements (
    dispute_id uuid not null references disputes,
    vendor_id  uuid not null references vendors,
    words      text not null constraint dispute_statements_length check (char_length(words) between 1 and 5000),
    written_at timestamptz not null default now(),
    primary key (dispute_id, vendor_id)
);

-- Private: objects disputes/{id}, served to the operator, and to the vendor who gave it.
create table dispute_files (
    id             uuid primary key,
    dispute_id     uuid not null references disputes,
    -- who gave it; null: the operator
    vendor_id      uuid references vendors,
    -- which of Stripe's places for evidence it takes; each takes one
    place          text not null check (place in ('receipt', 'shipping_documentation', 'customer_communication', 'customer_signature',
                                                  'refund_policy', 'uncategorized_file')),
    name           text not null constraint dispute_files_name check (char_length(name) between 1 and 100),
    media_type     text not null check (media_type in ('application/pdf', 'image/jpeg', 'image/png')),
    bytes          int not null check (bytes > 0),
    stripe_file_id text constraint dispute_files_stripe_key unique,
    added_at       timestamptz not null default now(),
    constraint dispute_files_place unique (dispute_id, place)
);
create index dispute_files_vendor on dispute_files (vendor_id) where vendor_id is not null;

-- While a bank decides, or once it has decided for the shopper, what it took is not there to be given back.
create function refunds_not_disputed() returns trigger language plpgsql as $$
begin
    -- What Stripe itself says it has refunded is true, whatever we think.
    if new.reason <> 'stripe_dashboard' and exists (
        select 1 from disputes d where d.payment_id = new.payment_id and not d.refundable
           and d.status in ('needs_response', 'under_review', 'lost')) then
        raise exception 'the payment is disputed' using errcode = 'check_violation', constraint = 'refunds_not_disputed';
    end if;
    return new;
end $$;
create trigger refunds_not_disputed before insert on refunds for each row execute function refunds_not_disputed();

-- What went back of each parcel, or is on its way: by refunds, and by banks. A line is named where the part is of one.
create view given_back as
    select p.vendor_order_id, p.kind, p.amount_minor, p.tax_minor, p.fee_minor, p.fee_vat_minor, p.platform_discount_minor
    from refund_parts p join refunds r on r.id = p.refund_id where r.state <> 'failed' and p.vendor_order_id is not null
    union all
    select p.vendor_order_id, 'dispute', p.amount_minor, p.tax_minor, p.fee_minor, p.fee_vat_minor, p.platform_discount_minor
    from dispute_parts p join disputes d on d.id = p.dispute_id
    where d.status in ('needs_response', 'under_review', 'lost') and p.vendor_order_id is not null;

-- A comparison of the books with Stripe. One each night (UTC), however many nodes there are, and whenever somebody asks for one.
create table reconciliations (
    id            uuid primary key,
    night         date constraint reconciliations_night_key unique,
    asked_by      uuid references users,
    state         text not null default 'running' check (state in ('running', 'done')),
    -- entries of Stripe's that were new · differences that are open at the end
    entries       int not null default 0,
    differences   int not null default 0,
    -- how much Stripe holds for us, by the books and by Stripe, at the end
    cash_minor    bigint,
    stripe_minor  bigint,
    -- the last failure of one that runs
    failure       text,
    started_at    timestamptz not null default now(),
    ended_at      timestamptz,
    constraint reconciliations_ended check ((state = 'done') = (ended_at is not null and cash_minor is not null and stripe_minor is not null))
);
create index reconciliations_recent on reconciliations (started_at desc, id desc);

-- Up to which moment Stripe's entries have been read: of our own account ('') and of each vendor's.
create table stripe_read (
    account text primary key,
    through timestamptz not null
);

-- Stripe's balance transactions, as they were read.
create table stripe_entries (
    id           text primary key,
    account      text not null default '',
    -- Stripe's kind: `charge`, `refund`, `adjustment` ...
    kind         text not null,
    -- what it moves besides the fee, and Stripe's fee for it
    amount_minor bigint not null,
    fee_minor    bigint not null,
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    -- what moved it, and Stripe's id of that as our row would know it
    touches      text check (touches in ('payment', 'refund', 'dispute', 'transfer', 'transfer_reversal', 'payout')),
    reference    text,
    description  text not null default '',
    -- our row; null until there is one
    cause_id     uuid,
    created_at   timestamptz not null,
    read_by      uuid not null references reconciliations
);
create index stripe_entries_cause on stripe_entries (cause_id) where cause_id is not null;
create index stripe_entries_unknown on stripe_entries (created_at) where cause_id is null;

-- Where the two disagree. Nothing is booked until a person says so.
create table reconciliation_differences (
    id           uuid primary key,
    run_id       uuid not null references reconciliations,
    -- the last run that saw it
    seen_by      uuid not null references reconciliations,
    account      text not null default '',
    vendor_id    uuid references vendors,
    -- of which row of ours; or which entry of Stripe's, where there is no row
    cause        text check (cause in ('payment', 'refund', 'dispute', 'transfer', 'transfer_reversal', 'payout')),
    cause_id     uuid,
    entry_id     text references stripe_entries,
    order_id     uuid references orders,
    -- money that moved, or Stripe's fee
    what         text not null check (what in ('money', 'fee')),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    here_minor   bigint not null,
    there_minor  bigint not null,
    -- what would make the books agree
    debit        text not null,
    debit_vendor uuid references vendors,
    credit       text not null,
    credit_vendor uuid references vendors,
    memo         text not null check (char_length(memo) between 3 and 500),
    -- booked: by this row's id, as a correction · explained: by a person, and nothing is to be booked
    -- gone: a later run found the two agreeing
    state        text not null default 'open' check (state in ('open', 'booked', 'explained', 'gone')),
    note         text not null default '' check (char_length(note) <= 500),
    decided_by   uuid references users,
    decided_at   timestamptz,
    found_at     timestamptz not null default now(),
    constraint reconciliation_differences_differ check (here_minor <> there_minor),
    constraint reconciliation_differences_of check ((cause is null) = (cause_id is null) and (cause is null) = (entry_id is not null)),
    constraint reconciliation_differences_decided check ((state = 'open') = (decided_at is null)
        and (state in ('booked', 'explained')) = (decided_by is not null))
);
create unique index reconciliation_differences_one_open
    on reconciliation_differences (account, cause, cause_id, entry_id, what, currency) nulls not distinct where state = 'open';
create index reconciliation_differences_cause on reconciliation_differences (cause_id) where cause_id is not null;
create index reconciliation_differences_recent on reconciliation_differences (found_at desc, id desc);
