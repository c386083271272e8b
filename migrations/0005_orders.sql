-- One order for the shopper, one vendor order per vendor, lines as sold. All of it is written in one transaction.

create sequence order_numbers start 100001;

create table orders (
    id             uuid primary key,
    number         bigint not null default nextval('order_numbers') constraint orders_number_key unique,
    user_id        uuid references users,
    email          text not null,
    -- SHA-256 of the token in the mailed link; lets a guest read the order
    token_hash     bytea not null constraint orders_token_key unique check (octet_length(token_hash) = 32),
    -- one per checkout form: a double click or a retried request finds the order it already made
    checkout_key   uuid not null constraint orders_checkout_key unique,
    cart_id        uuid references carts on delete set null,
    -- pending: unpaid, stock held · placed: paid · cancelled: by a person · expired: not paid in time
    status         text not null default 'pending' check (status in ('pending', 'placed', 'cancelled', 'expired')),
    -- derived from payments and refunds, by one writer (orders::queries::derive_statuses)
    payment_status text not null default 'unpaid'
                   check (payment_status in ('unpaid', 'processing', 'failed', 'paid', 'partially_refunded', 'refunded')),
    -- derived from shipments, by the same writer
    fulfilment_status text not null default 'unfulfilled' check (fulfilment_status in ('unfulfilled', 'partial', 'fulfilled')),
    currency       text not null check (currency ~ '^[A-Z]{3}$'),
    items_minor    bigint not null check (items_minor >= 0),
    shipping_minor bigint not null check (shipping_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    -- VAT contained in the total, not added to it
    tax_minor      bigint not null check (tax_minor >= 0),
    total_minor    bigint not null check (total_minor >= 0),
    ship_name      text not null,
    ship_line1     text not null,
    ship_line2     text not null default '',
    ship_city      text not null,
    ship_postal_code text not null,
    ship_country   text not null references countries (code),
    hold_expires_at timestamptz not null,
    created_at     timestamptz not null default now(),
    placed_at      timestamptz,
    closed_at      timestamptz,
    constraint orders_total check (total_minor = items_minor + shipping_minor - discount_minor),
    constraint orders_tax_within check (tax_minor <= total_minor),
    constraint orders_placed check (status <> 'placed' or placed_at is not null)
);
create index orders_user on orders (user_id, created_at desc) where user_id is not null;
create index orders_recent on orders (created_at desc, id desc);
create index orders_open on orders (hold_expires_at) where status = 'pending';

create table vendor_orders (
    id             uuid primary key,
    order_id       uuid not null references orders,
    vendor_id      uuid not null references vendors,
    vendor_name    text not null,
    vendor_slug    text not null,
    shipping_code  text not null,
    shipping_name  text not null,
    min_days       int not null,
    max_days       int not null,
    fulfilment_status text not null default 'unfulfilled' check (fulfilment_status in ('unfulfilled', 'partial', 'fulfilled')),
    items_minor    bigint not null check (items_minor >= 0),
    shipping_minor bigint not null check (shipping_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    tax_minor      bigint not null check (tax_minor >= 0),
    total_minor    bigint not null check (total_minor >= 0),
    constraint vendor_orders_vendor_key unique (order_id, vendor_id),
    constraint vendor_orders_total check (total_minor = items_minor + shipping_minor - discount_minor)
);
create index vendor_orders_vendor on vendor_orders (vendor_id, id desc);

create table order_lines (
    id               uuid primary key,
    order_id         uuid not null references orders,
    vendor_order_id  uuid not null references vendor_orders,
    -- where the line came from; what was sold is written out below and never changes
    product_id       uuid references products on delete set null,
    variant_id       uuid references variants on delete set null,
    product_slug     text not null,
    title            text not null,
    sku              text not null,
    -- {"Size": "M", "Colour": "Blue"}
    options          jsonb not null default '{}',
    picture_id       uuid,
    quantity         int not null check (quantity between 1 and 999),
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    discount_minor   bigint not null default 0 check (discount_minor >= 0),
    tax_rate_bp      int not null check (tax_rate_bp between 0 and 5000),
    tax_minor        bigint not null check (tax_minor >= 0),
    total_minor      bigint not null check (total_minor >= 0),
    position         int not null default 0,
    constraint order_lines_total check (total_minor = quantity * unit_price_minor - discount_minor)
);
create index order_lines_vendor_order on order_lines (vendor_order_id, position);
create index order_lines_order on order_lines (order_id);

-- Children sum to the parent, checked when the transaction ends.
create function orders_must_sum() returns trigger language plpgsql as $$
declare
    o orders;
    bad boolean;
begin
    -- Two statements: a row of one table has no field of the other, not even in a branch that is not taken.
    if tg_table_name = 'orders' then
        select * into o from orders where id = new.id;
    else
        select * into o from orders where id = new.order_id;
    end if;
    select coalesce(sum(items_minor), 0) <> o.items_minor or coalesce(sum(shipping_minor), 0) <> o.shipping_minor
        or coalesce(sum(discount_minor), 0) <> o.discount_minor or coalesce(sum(tax_minor), 0) <> o.tax_minor
        or coalesce(sum(total_minor), 0) <> o.total_minor
      into bad from vendor_orders where order_id = o.id;
    if bad then
        raise exception 'vendor orders of % do not sum to it', o.id using errcode = 'check_violation', constraint = 'orders_sum';
    end if;
    select exists (
        select 1 from vendor_orders v left join order_lines l on l.vendor_order_id = v.id
        where v.order_id = o.id group by v.id
        having coalesce(sum(l.quantity * l.unit_price_minor), 0) <> v.items_minor
            or coalesce(sum(l.discount_minor), 0) <> v.discount_minor) into bad;
    if bad then
        raise exception 'lines of % do not sum to their vendor order', o.id using errcode = 'check_violation', constraint = 'vendor_orders_sum';
    end if;
    return null;
end $$;
create constraint trigger orders_sum after insert or update of items_minor, shipping_minor, discount_minor, tax_minor, total_minor
    on orders deferrable initially deferred for each row execute function orders_must_sum();
create constraint trigger vendor_orders_sum after insert or update of items_minor, shipping_minor, discount_minor, tax_minor, total_minor
    on vendor_orders deferrable initially deferred for each row execute function orders_must_sum();

-- What an order holds of the stock. held: counted in stock.held · taken: left stock.on_hand · released: given back.
create table stock_holds (
    order_id   uuid not null references orders,
    variant_id uuid not null references variants,
    quantity   int not null check (quantity > 0),
    state      text not null default 'held' check (state in ('held', 'taken', 'released')),
    primary key (order_id, variant_id)
);
create index stock_holds_variant on stock_holds (variant_id) where state = 'held';

create table shipments (
    id              uuid primary key,
    vendor_order_id uuid not null references vendor_orders,
    carrier         text not null check (char_length(carrier) between 1 and 60),
    tracking        text not null default '' check (char_length(tracking) <= 80),
    shipped_by      uuid references users,
    shipped_at      timestamptz not null default now()
);
create index shipments_vendor_order on shipments (vendor_order_id);

create table shipment_lines (
    shipment_id uuid not null references shipments,
    line_id     uuid not null references order_lines,
    quantity    int not null check (quantity > 0),
    primary key (shipment_id, line_id)
);
create index shipment_lines_line on shipment_lines (line_id);

-- Never more shipped than sold, also when two people ship at once: the line is locked first.
create function shipment_within_line() returns trigger language plpgsql as $$
declare sold int;
begin
    select quantity into sold from order_lines where id = new.line_id for update;
    if (select sum(quantity) from shipment_lines where line_id = new.line_id) > sold then
        raise exception 'more shipped than sold' using errcode = 'check_violation', constraint = 'shipment_lines_within';
    end if;
    return null;
end $$;
create trigger shipment_lines_within after insert or update on shipment_lines
    for each row execute function shipment_within_line();

-- The timeline: what happened, who did it. Facts, never edited.
create table order_events (
    id              bigint generated always as identity primary key,
    order_id        uuid not null references orders,
    -- null: concerns the whole order
    vendor_order_id uuid references vendor_orders,
    -- 'created', 'paid', 'payment_failed', 'expired', 'cancelled', 'refunded', 'shipped', ...
    kind            text not null,
    detail          jsonb not null default '{}',
    actor_id        uuid references users,
    at              timestamptz not null default now()
);
create index order_events_order on order_events (order_id, id);
