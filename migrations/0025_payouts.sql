-- Vendors' money: when it is released, how it reaches their accounts at Stripe, and how it goes from there to their banks.

-- A parcel has arrived: its shopper, its vendor or the operator said so. Released: from then on its vendor can be paid.
alter table vendor_orders
    add delivered_at timestamptz,
    add delivered_by uuid references users,
    add released_at timestamptz,
    add constraint vendor_orders_delivered_by check (delivered_by is null or delivered_at is not null);
-- What waits to be released · what was released last.
create index vendor_orders_unreleased on vendor_orders (id) where released_at is null and fulfilment_status <> 'unfulfilled';
create index vendor_orders_released on vendor_orders (vendor_id, released_at desc) where released_at is not null;

-- Nothing of a parcel is left to send: what was paid back before it left need not leave.
create function parcel_is_complete(parcel uuid) returns boolean language plpgsql stable as $$
begin
    return not exists (
        select 1 from order_lines l where l.vendor_order_id = parcel and l.quantity >
            coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)
            + coalesce((select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id
                        where p.line_id = l.id and r.state <> 'failed'), 0));
end $$;

-- A vendor's account at Stripe. The row is written before Stripe is asked for one, and is the lock of all that moves the vendor's money.
create table vendor_accounts (
    vendor_id         uuid primary key references vendors,
    idempotency_key   text not null constraint vendor_accounts_idempotency_key unique,
    -- what the account was asked for with: a repeat must say the same
    country           text not null check (country ~ '^[A-Z]{2}$'),
    email             text not null,
    -- null: asked for, and not answered yet
    stripe_account_id text constraint vendor_accounts_stripe_key unique,
    charges_enabled   boolean not null default false,
    payouts_enabled   boolean not null default false,
    details_submitted boolean not null default false,
    -- what Stripe wants to know, in its own words: `individual.dob.day`
    requirements_due  text[] not null default '{}',
    disabled_reason   text,
    -- the bank account that payouts go to: Stripe's id of it, and what its owner knows it by
    bank_id           text,
    bank              text not null default '',
    -- a payout failed: nothing is paid until the bank account changes or the vendor says "try again"
    stopped_at        timestamptz,
    -- the next day on which the vendor is paid: set forward by who decides that day's payout, so that it is decided once
    next_payout_on    date not null,
    -- when the sweeper last looked whether the vendor's money is where it should be
    looked_at         timestamptz,
    synced_at         timestamptz,
    created_at        timestamptz not null default now(),
    constraint vendor_accounts_enabled check (stripe_account_id is not null or not (payouts_enabled or charges_enabled or details_submitted))
);
create index vendor_accounts_next on vendor_accounts (next_payout_on) where payouts_enabled;
create index vendor_accounts_looked on vendor_accounts (looked_at nulls first);

-- How a vendor wants to be paid. Without a row, and where a column is null, the shop's settings hold.
create table payout_settings (
    vendor_id     uuid primary key references vendors,
    schedule      text constraint payout_settings_schedule check (schedule in ('daily', 'weekly', 'monthly')),
    -- Monday is 1
    weekday       int check (weekday between 1 and 7),
    -- the 31st is the last day of every month
    month_day     int check (month_day between 1 and 31),
    minimum_minor bigint constraint payout_settings_minimum check (minimum_minor between 0 and 1000000000),
    -- days after the first sale before anything is paid; the operator's to set
    holding_days  int constraint payout_settings_holding check (holding_days between 0 and 365),
    constraint payout_settings_day check ((coalesce(schedule, '') = 'weekly') = (weekday is not null)
        and (coalesce(schedule, '') = 'monthly') = (month_day is not null))
);

-- Money from the market's balance at Stripe to a vendor's account there. asked: the row exists, Stripe has not answered yet.
create table transfers (
    id                 uuid primary key,
    vendor_id          uuid not null references vendor_accounts,
    -- whose release caused it; null: something else did (a dispute that was won, a payout that came back)
    vendor_order_id    uuid references vendor_orders,
    amount_minor       bigint not null constraint transfers_amount check (amount_minor > 0),
    currency           text not null check (currency ~ '^[A-Z]{3}$'),
    -- where it goes, and under which name Stripe shows it: a repeat must say the same
    stripe_account_id  text not null,
    transfer_group     text not null default '',
    state              text not null default 'asked' check (state in ('asked', 'made', 'failed')),
    idempotency_key    text not null constraint transfers_idempotency_key unique,
    stripe_transfer_id text constraint transfers_stripe_key unique,
    failure            text,
    created_at         timestamptz not null default now(),
    settled_at         timestamptz,
    constraint transfers_made check ((state = 'made') = (stripe_transfer_id is not null))
);
-- One at a time for a vendor, so that the next one is reckoned from what the last one did.
create unique index transfers_one_asked on transfers (vendor_id) where state = 'asked';
create index transfers_vendor on transfers (vendor_id, created_at desc);
create index transfers_vendor_order on transfers (vendor_order_id) where vendor_order_id is not null and state <> 'failed';

-- And back, from what is left of an earlier transfer.
create table transfer_reversals (
    id                 uuid primary key,
    transfer_id        uuid not null references transfers,
    vendor_id          uuid not null references vendor_accounts,
    amount_minor       bigint not null constraint transfer_reversals_amount check (amount_minor > 0),
    state              text not null default 'asked' check (state in ('asked', 'made', 'failed')),
    idempotency_key    text not null constraint transfer_reversals_idempotency_key unique,
    stripe_reversal_id text constraint transfer_reversals_stripe_key unique,
    failure            text,
    created_at         timestamptz not null default now(),
    settled_at         timestamptz,
    constraint transfer_reversals_made check ((state = 'made') = (stripe_reversal_id is not null))
);
create unique index transfer_reversals_one_asked on transfer_reversals (vendor_id) where state = 'asked';
create index transfer_reversals_transfer on transfer_reversals (transfer_id);

-- Parts never exceed the whole, and only what was made goes back.
create function reversals_within_transfer() returns trigger language plpgsql as $$
declare whole transfers;
begin
    select * into whole from transfers where id = new.transfer_id for update;
    if whole.state <> 'made' or whole.vendor_id <> new.vendor_id
       or (select sum(amount_minor) from transfer_reversals where transfer_id = new.transfer_id and state <> 'failed') > whole.amount_minor then
        raise exception 'reversals exceed the transfer' using errcode = 'check_violation', constraint = 'transfer_reversals_within';
    end if;
    return null;
end $$;
create trigger transfer_reversals_within after insert or update on transfer_reversals
    for each row execute function reversals_within_transfer();

-- From a vendor's account at Stripe to its bank.
create table payouts (
    id                uuid primary key,
    vendor_id         uuid not null references vendor_accounts,
    amount_minor      bigint not null constraint payouts_amount check (amount_minor > 0),
    currency          text not null check (currency ~ '^[A-Z]{3}$'),
    stripe_account_id text not null,
    -- booked: decided, Stripe has not answered yet · sent: on its way · paid · failed: it never arrived
    -- returned: it had arrived, and the bank sent it back
    state             text not null default 'booked' check (state in ('booked', 'sent', 'paid', 'failed', 'returned')),
    -- the day whose payout this is; null for one out of turn
    period            date,
    idempotency_key   text not null constraint payouts_idempotency_key unique,
    stripe_payout_id  text constraint payouts_stripe_key unique,
    bank              text not null default '',
    arrives_on        date,
    failure_code      text,
    failure           text,
    -- when the sweeper last asked how it stands
    asked_at          timestamptz,
    created_at        timestamptz not null default now(),
    settled_at        timestamptz,
    -- a day is paid once, however many nodes decide it
    constraint payouts_period_key unique (vendor_id, period),
    constraint payouts_sent check (state in ('booked', 'failed') or stripe_payout_id is not null),
    constraint payouts_settled check ((state in ('paid', 'failed', 'returned')) = (settled_at is not null))
);
-- One on its way at a time.
create unique index payouts_one_open on payouts (vendor_id) where state in ('booked', 'sent');
create index payouts_vendor on payouts (vendor_id, created_at desc, id desc);
create index payouts_recent on payouts (created_at desc, id desc);
create index payouts_open on payouts (created_at) where state in ('booked', 'sent');

-- What was asked for stays as it was asked.
create function payouts_keep() returns trigger language plpgsql as $$
begin
    if (new.vendor_id, new.amount_minor, new.idempotency_key) is distinct from (old.vendor_id, old.amount_minor, old.idempotency_key)
       or (tg_table_name <> 'payouts' and old.state <> 'asked' and new.state <> old.state)
       or (tg_table_name = 'payouts' and old.state in ('failed', 'returned') and new.state <> old.state) then
        raise exception '% keeps what was asked for', tg_table_name using errcode = 'restrict_violation', constraint = 'payouts_keep';
    end if;
    return new;
end $$;
create trigger payouts_keep before update on transfers for each row execute function payouts_keep();
create trigger payouts_keep before update on transfer_reversals for each row execute function payouts_keep();
create trigger payouts_keep before update on payouts for each row execute function payouts_keep();
