-- Money back in parts, each of which says what it was paid for; and goods back, which cause such a refund.

alter table refunds
    -- in words for the shopper, where a person gave it
    add column note text not null default '' constraint refunds_note_length check (char_length(note) <= 300),
    add column actor_id uuid references users;

-- A refund that failed is over: what it would have given back may be given by another one since.
create function refund_stays_failed() returns trigger language plpgsql as $$
begin
    raise exception 'a failed refund stays failed' using errcode = 'check_violation', constraint = 'refunds_failed_is_final';
end $$;
create trigger refunds_failed_is_final before update of state on refunds
    for each row when (old.state = 'failed' and new.state <> 'failed') execute function refund_stays_failed();

-- What a refund is made of. Tax is contained in the amount; fees and the platform's discount are what was frozen at the sale, in
-- the same proportion. Only ever added to: a part counts while its refund has not failed.
create table refund_parts (
    id              uuid primary key,
    refund_id       uuid not null references refunds,
    -- line: pieces of it · shipping · amount: of a parcel, and of nothing in it in particular (Stripe's dashboard)
    -- surplus: of a payment that no order took
    kind            text not null check (kind in ('line', 'shipping', 'amount', 'surplus')),
    vendor_order_id uuid references vendor_orders,
    line_id         uuid references order_lines,
    quantity        int check (quantity > 0),
    amount_minor    bigint not null check (amount_minor >= 0),
    tax_minor       bigint not null default 0 check (tax_minor >= 0),
    fee_minor       bigint not null default 0 check (fee_minor >= 0),
    fee_vat_minor   bigint not null default 0 check (fee_vat_minor >= 0),
    platform_discount_minor bigint not null default 0 check (platform_discount_minor >= 0),
    constraint refund_parts_shape check (
        (kind = 'line') = (line_id is not null) and (line_id is null) = (quantity is null)
        and (kind = 'surplus') = (vendor_order_id is null))
);
create index refund_parts_refund on refund_parts (refund_id);
create index refund_parts_vendor_order on refund_parts (vendor_order_id) where vendor_order_id is not null;
create index refund_parts_line on refund_parts (line_id) where line_id is not null;
create trigger only_added_to before update or delete or truncate on refund_parts for each statement execute function only_added_to();

-- Never more back than was sold, neither pieces nor money nor fees, also when several give back at once: the parcel is locked first.
create function refund_part_within() returns trigger language plpgsql as $$
declare
    v vendor_orders;
    l order_lines;
    good boolean;
begin
    if new.vendor_order_id is null then
        return null;
    end if;
    select * into v from vendor_orders where id = new.vendor_order_id for no key update;
    select coalesce(sum(p.amount_minor), 0) <= v.total_minor and coalesce(sum(p.tax_minor), 0) <= v.tax_minor
       and coalesce(sum(p.fee_minor), 0) <= v.fee_minor and coalesce(sum(p.fee_vat_minor), 0) <= v.fee_vat_minor
       and coalesce(sum(p.platform_discount_minor), 0) <=
           (select coalesce(sum(x.platform_discount_minor), 0) from order_lines x where x.vendor_order_id = v.id)
      into good from refund_parts p join refunds r on r.id = p.refund_id
      where p.vendor_order_id = v.id and r.state <> 'failed';
    if good and new.kind = 'line' then
        select * into l from order_lines where id = new.line_id;
        select l.vendor_order_id = v.id
           and coalesce(sum(p.quantity), 0) <= l.quantity and coalesce(sum(p.amount_minor), 0) <= l.total_minor
           and coalesce(sum(p.tax_minor), 0) <= l.tax_minor and coalesce(sum(p.fee_minor), 0) <= l.fee_minor
           and coalesce(sum(p.fee_vat_minor), 0) <= l.fee_vat_minor
           and coalesce(sum(p.platform_discount_minor), 0) <= l.platform_discount_minor
          into good from refund_parts p join refunds r on r.id = p.refund_id
          where p.line_id = l.id and r.state <> 'failed';
    elsif good and new.kind = 'shipping' then
        select coalesce(sum(p.amount_minor), 0) <= v.shipping_minor and coalesce(sum(p.fee_minor), 0) <= v.shipping_fee_minor
           and coalesce(sum(p.fee_vat_minor), 0) <= v.shipping_fee_vat_minor
          into good from refund_parts p join refunds r on r.id = p.refund_id
          where p.vendor_order_id = v.id and p.kind = 'shipping' and r.state <> 'failed';
    end if;
    if not good then
        raise exception 'more back than was sold' using errcode = 'check_violation', constraint = 'refund_parts_within';
    end if;
    return null;
end $$;
create trigger refund_parts_within after insert on refund_parts for each row execute function refund_part_within();

-- Whether pieces of a parcel still have to leave: what was paid back before it left does not. Asked of parcels that are not wholly sent.
create function parcel_waits(parcel uuid) returns boolean language sql stable as $$
    select not exists (select 1 from refund_parts p where p.vendor_order_id = parcel)
        or exists (select 1 from order_lines l where l.vendor_order_id = parcel and l.quantity >
                   coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)
                   + coalesce((select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id
                               where p.line_id = l.id and r.state <> 'failed'), 0))
$$;

-- The parts sum to the refund, checked when the transaction ends. Refunds from before this migration get theirs when the program starts.
create function refund_must_be_its_parts() returns trigger language plpgsql as $$
declare
    r refunds;
begin
    if tg_table_name = 'refunds' then
        select * into r from refunds where id = new.id;
    else
        select * into r from refunds where id = new.refund_id;
    end if;
    if r.amount_minor <> (select coalesce(sum(p.amount_minor), 0) from refund_parts p where p.refund_id = r.id) then
        raise exception 'the parts of refund % do not sum to it', r.id using errcode = 'check_violation', constraint = 'refund_parts_sum';
    end if;
    return null;
end $$;
create constraint trigger refund_parts_sum after insert on refunds
    deferrable initially deferred for each row execute function refund_must_be_its_parts();
create constraint trigger refund_parts_sum after insert on refund_parts
    deferrable initially deferred for each row execute function refund_must_be_its_parts();

-- Goods on their way back. What is said about one stands in the order's timeline, with the return's id.
create table returns (
    id              uuid primary key,
    vendor_order_id uuid not null references vendor_orders,
    -- asked: the vendor decides · question: the shopper answers · accepted: to be sent back · sent · received: and paid back
    -- refused · appealed: refused, and the operator decides · withdrawn: by the shopper
    state           text not null default 'asked'
                    check (state in ('asked', 'question', 'accepted', 'sent', 'received', 'refused', 'appealed', 'withdrawn')),
    reason          text not null check (reason in ('damaged', 'wrong', 'not_as_described', 'unwanted', 'other')),
    words           text not null default '' constraint returns_words_length check (char_length(words) <= 1000),
    -- where it is to be sent, said by who accepted it
    send_to         text not null default '' constraint returns_send_to_length check (char_length(send_to) <= 1000),
    carrier         text not null default '' constraint returns_carrier_length check (char_length(carrier) <= 60),
    tracking        text not null default '' constraint returns_tracking_length check (char_length(tracking) <= 80),
    -- the operator is asked once
    appealed        boolean not null default false,
    -- null also where nothing was left to give back
    refund_id       uuid references refunds,
    asked_at        timestamptz not null default now(),
    changed_at      timestamptz not null default now(),
    constraint returns_accepted check (state not in ('accepted', 'sent', 'received') or send_to <> ''),
    constraint returns_refund check (refund_id is null or state = 'received')
);
create index returns_vendor_order on returns (vendor_order_id);
create index returns_open on returns (changed_at) where state in ('asked', 'question', 'accepted', 'sent', 'appealed');

create table return_lines (
    return_id uuid not null references returns,
    line_id   uuid not null references order_lines,
    quantity  int not null check (quantity > 0),
    -- what came, and what of it went back on the shelf
    received  int not null default 0,
    restocked int not null default 0,
    primary key (return_id, line_id),
    constraint return_lines_received check (received between 0 and quantity),
    constraint return_lines_restocked check (restocked between 0 and received)
);
create index return_lines_line on return_lines (line_id);

-- Private: served to the shopper, the vendor and the operator only. Objects returns/{id}/{width}.webp.
create table return_pictures (
    id        uuid primary key,
    return_id uuid not null references returns,
    position  int not null constraint return_pictures_five check (position between 0 and 4),
    width     int not null check (width > 0),
    height    int not null check (height > 0),
    constraint return_pictures_place unique (return_id, position)
);

-- Never more on its way back than was sent, also when two ask at once, or a refused return is taken up again: the line is locked first.
create function return_within_shipped(line uuid) returns void language plpgsql as $$
begin
    perform 1 from order_lines where id = line for no key update;
    if (select coalesce(sum(case t.state when 'received' then x.received else x.quantity end), 0)
        from return_lines x join returns t on t.id = x.return_id
        where x.line_id = line and t.state not in ('refused', 'withdrawn'))
       > (select coalesce(sum(s.quantity), 0) from shipment_lines s where s.line_id = line) then
        raise exception 'more comes back than was sent' using errcode = 'check_violation', constraint = 'return_lines_within';
    end if;
end $$;
create function return_line_within() returns trigger language plpgsql as $$
begin
    perform return_within_shipped(new.line_id);
    return null;
end $$;
create trigger return_lines_within after insert on return_lines for each row execute function return_line_within();
create function return_taken_up_within() returns trigger language plpgsql as $$
begin
    perform return_within_shipped(x.line_id) from return_lines x where x.return_id = new.id order by x.line_id;
    return null;
end $$;
create trigger return_lines_within after update of state on returns
    for each row when (old.state in ('refused', 'withdrawn') and new.state not in ('refused', 'withdrawn'))
    execute function return_taken_up_within();
