-- Papers that money leaves behind: invoices, credit notes, commission invoices, statements. Each is numbered without a gap, drawn
-- once, kept as bytes and never changed.

-- What an invoice says of its seller beside the shop's name and country; empty: not told yet, the shop's name stands there alone.
alter table vendors
    add column legal_name        text not null default '' constraint vendors_legal_name_length check (char_length(legal_name) <= 120),
    add column legal_line1       text not null default '' constraint vendors_legal_line1_length check (char_length(legal_line1) <= 120),
    add column legal_line2       text not null default '' constraint vendors_legal_line2_length check (char_length(legal_line2) <= 120),
    add column legal_city        text not null default '' constraint vendors_legal_city_length check (char_length(legal_city) <= 80),
    add column legal_postal_code text not null default '' constraint vendors_legal_postal_code_length check (char_length(legal_postal_code) <= 20),
    add column vat_number        text not null default '' constraint vendors_vat_number_shape check (vat_number ~ '^([A-Z0-9]{4,20})?$');

-- The last number of each series. A row is locked by whoever takes a number until that document is written or is not: so a number
-- that comes to nothing is given to the next one, and none is left out.
create table document_counters (
    -- who issues; null: the platform
    issuer_id uuid references vendors,
    kind      text not null check (kind in ('invoice', 'credit_note', 'commission_invoice', 'statement')),
    year      int not null check (year between 2000 and 9999),
    last      int not null default 0 check (last >= 0),
    -- the date of the last one: dates never run against numbers, not even around midnight
    last_on   date not null,
    constraint document_counters_key unique nulls not distinct (issuer_id, kind, year)
);

create function counts_by_one() returns trigger language plpgsql as $$
begin
    if new.last <> old.last + 1 or new.last_on < old.last_on
        or (new.issuer_id, new.kind, new.year) is distinct from (old.issuer_id, old.kind, old.year) then
        raise exception 'a series counts by one' using errcode = 'check_violation', constraint = 'document_counters_by_one';
    end if;
    return new;
end $$;
create trigger counts_by_one before update on document_counters for each row execute function counts_by_one();
create trigger only_added_to before delete or truncate on document_counters for each statement execute function only_added_to();

create table documents (
    id              uuid primary key,
    kind            text not null check (kind in ('invoice', 'credit_note', 'commission_invoice', 'statement')),
    issuer_id       uuid references vendors,
    year            int not null,
    sequence        int not null check (sequence > 0),
    -- as it is printed: INV-2026-00001
    number          text not null check (char_length(number) between 1 and 40),
    issued_on       date not null,
    -- whose business it is about: the seller, or the vendor whom the platform writes to
    vendor_id       uuid not null references vendors,
    order_id        uuid references orders,
    vendor_order_id uuid references vendor_orders,
    refund_id       uuid references refunds,
    -- first and last day, where it is about a time
    period_from     date,
    period_until    date,
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    -- a credit note's amounts are above zero and mean money back; a statement's total is its closing balance
    total_minor     bigint not null,
    tax_minor       bigint not null,
    -- the facts that it was drawn from, for programs
    content         jsonb not null,
    -- In the database and not in the object store, so that number, facts and paper are one transaction and one backup; some
    -- ten or twenty kilobytes each, kept beside the row by PostgreSQL and read only when somebody downloads it.
    pdf             bytea not null check (octet_length(pdf) > 0),
    sha256          bytea not null,
    issued_at       timestamptz not null default now(),
    constraint documents_number_key unique nulls not distinct (issuer_id, kind, year, sequence),
    -- one for each thing that calls for one, however often it is asked for
    constraint documents_once unique nulls not distinct (kind, vendor_id, vendor_order_id, refund_id, period_from, period_until, currency),
    constraint documents_hash check (sha256 = sha256(pdf)),
    constraint documents_year check (year = extract(year from issued_on)),
    constraint documents_issuer check (case when kind in ('invoice', 'credit_note') then issuer_id = vendor_id else issuer_id is null end),
    constraint documents_subject check (case kind
        when 'invoice' then order_id is not null and vendor_order_id is not null and refund_id is null and period_from is null
        when 'credit_note' then order_id is not null and vendor_order_id is not null and refund_id is not null and period_from is null
        else order_id is null and vendor_order_id is null and refund_id is null and period_from <= period_until end)
);
create index documents_order on documents (order_id) where order_id is not null;
create index documents_vendor_order on documents (vendor_order_id) where vendor_order_id is not null;
create index documents_vendor on documents (vendor_id, issued_at desc, id desc);
create index documents_recent on documents (issued_at desc, id desc);
-- Compressed already.
alter table documents alter column pdf set storage external;

-- What is issued stands. A mistake is put right by another document.
create trigger only_added_to before update or delete or truncate on documents for each statement execute function only_added_to();
revoke update, delete, truncate on documents from public, current_user;

-- Months whose commission invoices were asked for: once, whichever node was first.
create table document_months (
    month    date primary key check (extract(day from month) = 1),
    begun_at timestamptz not null default now()
);

-- What was paid before there were invoices gets its own, in order of payment.
insert into jobs (kind, payload, key)
select 'issue_invoices', jsonb_build_object('kind', 'issue_invoices', 'payload', jsonb_build_object('order', id)), 'invoices:' || id
from orders where placed_at is not null order by placed_at, id;
