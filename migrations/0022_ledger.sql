-- The books: double entry, only ever added to. What anybody is owed or has is the sum of entries; nothing else is kept.

-- Whose money it is, and where. Of the platform: one account of a kind; of a vendor: one each.
create table ledger_accounts (
    id        bigint generated always as identity primary key,
    kind      text not null check (kind in (
        -- what Stripe holds for the platform
        'cash',
        -- promised to shoppers, not gone from Stripe yet
        'refunds_due',
        -- earned by the platform, and the VAT that it owes on that
        'commission', 'commission_vat',
        -- the platform's costs: Stripe's fees, discounts that it pays for, what nobody else bears
        'stripe_fees', 'discounts', 'losses',
        -- differences that the operator has not explained yet
        'suspense',
        -- owed to a vendor: sold and not released yet · released
        'vendor_pending', 'vendor_payable',
        -- taken by a bank while it decides a dispute about this vendor's goods
        'disputes_held',
        -- what Stripe holds for a vendor, and what is on the way from there to its bank
        'connected', 'payouts_in_transit')),
    vendor_id uuid references vendors,
    currency  text not null check (currency ~ '^[A-Z]{3}$'),
    constraint ledger_accounts_key unique nulls not distinct (kind, vendor_id, currency),
    constraint ledger_accounts_vendor check ((vendor_id is not null) =
        (kind in ('vendor_pending', 'vendor_payable', 'disputes_held', 'connected', 'payouts_in_transit')))
);
create index ledger_accounts_of_vendor on ledger_accounts (vendor_id) where vendor_id is not null;

create table ledger_transactions (
    id        uuid primary key,
    -- what made it true: a row of the table of that name, and which of its steps
    cause     text not null check (cause in ('payment', 'refund', 'release', 'transfer', 'transfer_reversal', 'payout', 'dispute', 'correction')),
    cause_id  uuid not null,
    step      text not null default '' check (char_length(step) <= 60),
    currency  text not null check (currency ~ '^[A-Z]{3}$'),
    order_id  uuid references orders,
    -- the transaction that this one takes back, whole or in part
    reverses  uuid references ledger_transactions,
    -- for people: why, where a person booked it
    memo      text not null default '' check (char_length(memo) <= 500),
    actor_id  uuid references users,
    at        timestamptz not null default now(),
    -- booked once, however often the step is repeated
    constraint ledger_transactions_cause_key unique (cause, cause_id, step)
);
create index ledger_transactions_order on ledger_transactions (order_id) where order_id is not null;
create index ledger_transactions_at on ledger_transactions (at, id);
create index ledger_transactions_reverses on ledger_transactions (reverses) where reverses is not null;

create table ledger_entries (
    id              bigint generated always as identity primary key,
    transaction_id  uuid not null references ledger_transactions,
    account_id      bigint not null references ledger_accounts,
    -- debit above zero, credit below
    amount_minor    bigint not null check (amount_minor <> 0),
    -- whose sale it was, where it was one
    vendor_order_id uuid references vendor_orders
);
create index ledger_entries_account on ledger_entries (account_id, id);
create index ledger_entries_transaction on ledger_entries (transaction_id);
create index ledger_entries_vendor_order on ledger_entries (vendor_order_id) where vendor_order_id is not null;

-- At least two entries of one currency that sum to zero, checked when the database transaction ends.
create function ledger_must_balance() returns trigger language plpgsql as $$
declare
    t ledger_transactions;
    entries int;
    total numeric;
    strangers int;
begin
    if tg_table_name = 'ledger_transactions' then
        select * into t from ledger_transactions where id = new.id;
    else
        select * into t from ledger_transactions where id = new.transaction_id;
    end if;
    select count(*), coalesce(sum(e.amount_minor), 0), count(*) filter (where a.currency <> t.currency)
      into entries, total, strangers
      from ledger_entries e join ledger_accounts a on a.id = e.account_id where e.transaction_id = t.id;
    if entries < 2 or total <> 0 or strangers > 0 then
        raise exception 'ledger transaction % has % entries that sum to %, % of another currency', t.id, entries, total, strangers
            using errcode = 'check_violation', constraint = 'ledger_balance';
    end if;
    return null;
end $$;
create constraint trigger ledger_balance after insert on ledger_transactions
    deferrable initially deferred for each row execute function ledger_must_balance();
create constraint trigger ledger_balance after insert on ledger_entries
    deferrable initially deferred for each row execute function ledger_must_balance();

-- What is booked stands. A mistake is booked back by another transaction, which names it.
create function only_added_to() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to', tg_table_name using errcode = 'restrict_violation', constraint = 'only_added_to';
end $$;
create trigger only_added_to before update or delete or truncate on ledger_transactions for each statement execute function only_added_to();
create trigger only_added_to before update or delete or truncate on ledger_entries for each statement execute function only_added_to();
create trigger only_added_to before update or delete or truncate on ledger_accounts for each statement execute function only_added_to();
-- Nor may the role that the program runs as, unless it is a superuser, who is stopped by the triggers alone.
revoke update, delete, truncate on ledger_transactions, ledger_entries, ledger_accounts from public, current_user;
-- A foreign key locks the row that it points to, for which PostgreSQL wants the right to update some column of it. The trigger
-- refuses all the same.
grant update (id) on ledger_transactions, ledger_accounts to current_user;

-- Balances as of an entry, so that reading one need not sum all of time. Whoever takes a snapshot excludes those who book
-- (an advisory lock of this number, which they share), so that no entry before it is still on its way.
create table ledger_snapshots (
    account_id    bigint primary key references ledger_accounts,
    through_entry bigint not null,
    balance_minor bigint not null,
    taken_at      timestamptz not null default now()
);

-- What an account holds now: debits less credits.
create function ledger_balance(account bigint) returns bigint language sql stable as $$
    select (coalesce(s.balance_minor, 0) + coalesce((select sum(e.amount_minor) from ledger_entries e
            where e.account_id = a.id and e.id > coalesce(s.through_entry, 0)), 0))::bigint
    from (values (account)) a (id) left join ledger_snapshots s on s.account_id = a.id
$$;
