-- What the market keeps of a sale: rules in an order, of which the first that matches decides. What it came to is frozen on
-- what was sold, so that a rule of tomorrow changes nothing of yesterday.

create table commission_rules (
    id            uuid primary key,
    -- the order in which they are asked; null once a rule is archived
    position      int constraint commission_rules_position_key unique deferrable initially immediate,
    name          text not null constraint commission_rules_name check (char_length(name) between 1 and 80),
    -- what it matches; null matches everything
    vendor_id     uuid references vendors,
    -- this category and all below it
    category_id   uuid references categories,
    product_id    uuid references products,
    -- days in UTC, both included
    starts_on     date,
    ends_on       date,
    -- of what the vendor gets for a line, discounts of its own taken off
    percent_bp    int not null constraint commission_rules_percent check (percent_bp between 0 and 10000),
    -- of each piece, so that two pieces cost the same in one line or in two: added to the percentage · at least · at most
    fixed_minor   bigint not null default 0 constraint commission_rules_fixed check (fixed_minor between 0 and 1000000000),
    minimum_minor bigint not null default 0 constraint commission_rules_minimum check (minimum_minor between 0 and 1000000000),
    cap_minor     bigint constraint commission_rules_cap check (cap_minor between 0 and 1000000000),
    -- the percentage is taken of the shipping too: of the share that falls to the line
    on_shipping   boolean not null default false,
    -- asked last, matches everything; there is always one
    fallback      boolean not null default false,
    -- a rule is never changed: the changed one takes its place, and what was sold keeps the one that it was sold under
    replaces      uuid references commission_rules,
    created_at    timestamptz not null default now(),
    created_by    uuid references users,
    archived_at   timestamptz,
    archived_by   uuid references users,
    constraint commission_rules_archived check ((archived_at is null) = (position is not null)),
    constraint commission_rules_window check (ends_on >= starts_on),
    constraint commission_rules_cap_above check (cap_minor >= minimum_minor),
    constraint commission_rules_fallback check (not fallback
        or coalesce(vendor_id, category_id, product_id) is null and coalesce(starts_on, ends_on) is null)
);
create unique index commission_rules_one_fallback on commission_rules (fallback) where fallback and archived_at is null;

insert into commission_rules (id, position, name, percent_bp, fallback) values (gen_random_uuid(), 1, 'Standard', 1000, true);

-- Frozen at sale: which rule, by its name then; the fee and the VAT on it, by the vendor's country; and what of the discount the
-- market pays for. Null and nothing for what was sold before there were rules.
alter table order_lines
    add commission_rule_id uuid references commission_rules,
    add commission_rule text not null default '' check (char_length(commission_rule) <= 80),
    add fee_minor bigint not null default 0 check (fee_minor >= 0),
    add fee_vat_minor bigint not null default 0 check (fee_vat_minor >= 0),
    add platform_discount_minor bigint not null default 0 check (platform_discount_minor >= 0),
    add constraint order_lines_platform_discount check (platform_discount_minor <= discount_minor),
    -- a vendor never pays for having sold
    add constraint order_lines_fee_within check (fee_minor + fee_vat_minor <= total_minor + platform_discount_minor);
alter table vendor_orders
    add fee_minor bigint not null default 0,
    add fee_vat_minor bigint not null default 0,
    -- what of these falls to the shipping; the rest is the lines'
    add shipping_fee_minor bigint not null default 0 check (shipping_fee_minor >= 0),
    add shipping_fee_vat_minor bigint not null default 0 check (shipping_fee_vat_minor >= 0),
    add constraint vendor_orders_fee check (fee_minor >= shipping_fee_minor and fee_vat_minor >= shipping_fee_vat_minor),
    add constraint vendor_orders_shipping_fee_within check (shipping_fee_minor + shipping_fee_vat_minor <= shipping_minor);

-- Children sum to the parent, their fees too.
create or replace function orders_must_sum() returns trigger language plpgsql as $$
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
            or coalesce(sum(l.discount_minor), 0) <> v.discount_minor
            or coalesce(sum(l.fee_minor), 0) + v.shipping_fee_minor <> v.fee_minor
            or coalesce(sum(l.fee_vat_minor), 0) + v.shipping_fee_vat_minor <> v.fee_vat_minor) into bad;
    if bad then
        raise exception 'lines of % do not sum to their vendor order', o.id using errcode = 'check_violation', constraint = 'vendor_orders_sum';
    end if;
    return null;
end $$;

create function is_frozen() returns trigger language plpgsql as $$
begin
    raise exception 'what % says of a sale is frozen', tg_table_name using errcode = 'restrict_violation', constraint = 'is_frozen';
end $$;
create trigger is_frozen before update of commission_rule_id, commission_rule, fee_minor, fee_vat_minor, platform_discount_minor
    on order_lines for each row
    when ((old.commission_rule_id, old.commission_rule, old.fee_minor, old.fee_vat_minor, old.platform_discount_minor)
        is distinct from (new.commission_rule_id, new.commission_rule, new.fee_minor, new.fee_vat_minor, new.platform_discount_minor))
    execute function is_frozen();
create trigger is_frozen before update of fee_minor, fee_vat_minor, shipping_fee_minor, shipping_fee_vat_minor
    on vendor_orders for each row
    when ((old.fee_minor, old.fee_vat_minor, old.shipping_fee_minor, old.shipping_fee_vat_minor)
        is distinct from (new.fee_minor, new.fee_vat_minor, new.shipping_fee_minor, new.shipping_fee_vat_minor))
    execute function is_frozen();
-- Of a rule only its place may change, until it is archived.
create trigger is_frozen before update on commission_rules for each row
    when ((old.id, old.name, old.vendor_id, old.category_id, old.product_id, old.starts_on, old.ends_on, old.percent_bp, old.fixed_minor,
           old.minimum_minor, old.cap_minor, old.on_shipping, old.fallback, old.replaces, old.created_at)
        is distinct from (new.id, new.name, new.vendor_id, new.category_id, new.product_id, new.starts_on, new.ends_on, new.percent_bp,
           new.fixed_minor, new.minimum_minor, new.cap_minor, new.on_shipping, new.fallback, new.replaces, new.created_at)
        or old.archived_at is not null)
    execute function is_frozen();

alter table payments
    -- what Stripe kept of it; null until Stripe has said so
    add stripe_fee_minor bigint check (stripe_fee_minor >= 0),
    add fee_asked_at timestamptz,
    -- when it came into the books; null for what was paid before there were any, until the sweeper finds it
    add booked_at timestamptz;
create index payments_unbooked on payments (settled_at) where booked_at is null and state in ('paid', 'surplus');
create index payments_fee_unknown on payments (settled_at) where stripe_fee_minor is null and state in ('paid', 'surplus');
