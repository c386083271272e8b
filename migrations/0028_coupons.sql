-- Coupons: a code that takes something off the goods of an order, paid for by the vendor, by the market, or by both. Who uses one
-- claims it in the transaction that makes the order. What is limited has a counter with a constraint, so that of fifty who press
-- the button at once for the last ten uses ten get through, whatever the program does.

create table coupons (
    id             uuid primary key,
    -- in upper case, and so found however it was typed
    code           text not null constraint coupons_code_key unique
                   constraint coupons_code check (code ~ '^[A-Z0-9][A-Z0-9-]{2,31}$'),
    name           text not null constraint coupons_name check (char_length(name) between 1 and 80),
    -- who made it and may end it; null: the market
    vendor_id      uuid references vendors,
    -- what it takes off the goods that it is for: one of the two
    percent_bp     int constraint coupons_percent check (percent_bp between 1 and 10000),
    amount_minor   bigint constraint coupons_amount check (amount_minor between 1 and 1000000000),
    currency       text not null check (currency ~ '^[A-Z]{3}$'),
    -- what the goods that it is for must be worth at least
    minimum_minor  bigint not null default 0 constraint coupons_minimum check (minimum_minor between 0 and 1000000000),
    -- the goods that it is for: of one vendor, of a category and all below it; null for all
    only_vendor_id uuid references vendors,
    category_id    uuid references categories,
    -- days in UTC, both included
    starts_on      date,
    ends_on        date,
    limit_total    int constraint coupons_limit_total check (limit_total between 1 and 1000000),
    limit_person   int constraint coupons_limit_person check (limit_person between 1 and 1000),
    -- what of the discount the market pays; the vendors of the goods pay the rest
    platform_bp    int not null constraint coupons_platform check (platform_bp between 0 and 10000),
    -- claims that hold or have taken it, counted only where that is limited: so that everybody's coupon is not everybody's lock
    used           int not null default 0,
    created_at     timestamptz not null default now(),
    created_by     uuid references users,
    archived_at    timestamptz,
    archived_by    uuid references users,
    constraint coupons_worth check (num_nonnulls(percent_bp, amount_minor) = 1),
    constraint coupons_window check (ends_on >= starts_on),
    -- a vendor gives away what is its own
    constraint coupons_of_vendor check (vendor_id is null or (only_vendor_id is not distinct from vendor_id and platform_bp = 0)),
    constraint coupons_within check (used between 0 and limit_total)
);
create index coupons_vendor on coupons (vendor_id, created_at desc);

-- How often one person has used a coupon whose uses per person are limited. Somebody with an account is their id, anybody else
-- their e-mail address.
create table coupon_people (
    coupon_id uuid not null references coupons,
    person    text not null,
    used      int not null,
    most      int not null,
    primary key (coupon_id, person),
    constraint coupon_people_within check (used between 0 and most)
);

-- One use of a coupon. held: by an order that is not paid yet · taken: by a paid one · released: that order came to nothing.
create table coupon_claims (
    order_id       uuid primary key references orders,
    coupon_id      uuid not null references coupons,
    user_id        uuid references users,
    email          text not null,
    person         text not null generated always as (coalesce(user_id::text, lower(email))) stored,
    -- all that it took off, and what of that the market pays
    amount_minor   bigint not null check (amount_minor > 0),
    platform_minor bigint not null,
    state          text not null default 'held' check (state in ('held', 'taken', 'released')),
    created_at     timestamptz not null default now(),
    constraint coupon_claims_platform check (platform_minor between 0 and amount_minor)
);
create index coupon_claims_coupon on coupon_claims (coupon_id);

-- Counts a claim that is made or made again, and one that is given back.
create function coupon_claims_count() returns trigger language plpgsql as $$
declare
    step int := (new.state <> 'released')::int;
    c coupons;
begin
    if tg_op = 'UPDATE' then
        step := step - (old.state <> 'released')::int;
    end if;
    if step = 0 then
        return null;
    end if;
    update coupons set used = used + step where id = new.coupon_id and limit_total is not null;
    select * into c from coupons where id = new.coupon_id;
    if c.limit_person is null then
        return null;
    end if;
    if step > 0 then
        insert into coupon_people as p (coupon_id, person, used, most) values (c.id, new.person, step, c.limit_person)
        on conflict (coupon_id, person) do update set used = p.used + step;
    else
        update coupon_people set used = used + step where coupon_id = c.id and person = new.person;
    end if;
    return null;
end $$;
create trigger coupon_claims_count after insert or update of state on coupon_claims
    for each row execute function coupon_claims_count();

-- A claim has no state of its own but that of its order, so it follows the order's row: paying, expiring, cancelling, making way for
-- another order, and whatever ends orders one day, need not think of it. Only what turns a counter back locks the coupon, and that
-- comes after the stock: making an order locks the two in the same order.
create function coupon_claim_follows() returns trigger language plpgsql as $$
begin
    update coupon_claims set state = case new.status when 'pending' then 'held' when 'placed' then 'taken' else 'released' end
    where order_id = new.id;
    return null;
end $$;
create trigger coupon_claim_follows after update of status on orders for each row when (old.status <> new.status)
    execute function coupon_claim_follows();

-- What a claim says was taken off is what the order has off, and what the market pays sums over the lines.
create function coupon_claim_must_sum() returns trigger language plpgsql as $$
begin
    if new.amount_minor is distinct from (select discount_minor from orders where id = new.order_id)
        or new.platform_minor is distinct from (select sum(platform_discount_minor)::bigint from order_lines where order_id = new.order_id)
    then
        raise exception 'the claim of % is not its discount', new.order_id
            using errcode = 'check_violation', constraint = 'coupon_claims_sum';
    end if;
    return null;
end $$;
create constraint trigger coupon_claims_sum after insert on coupon_claims deferrable initially deferred
    for each row execute function coupon_claim_must_sum();

-- A coupon is never changed: it ends, and another takes its place. So what was sold with it can always be explained.
create trigger is_frozen before update on coupons for each row
    when (to_jsonb(old) - '{used,archived_at,archived_by}'::text[] is distinct from to_jsonb(new) - '{used,archived_at,archived_by}'::text[]
        or old.archived_at is not null and old.archived_at is distinct from new.archived_at)
    execute function is_frozen();
create trigger is_frozen before update of order_id, coupon_id, user_id, email, amount_minor, platform_minor on coupon_claims for each row
    when ((old.order_id, old.coupon_id, old.user_id, old.email, old.amount_minor, old.platform_minor)
        is distinct from (new.order_id, new.coupon_id, new.user_id, new.email, new.amount_minor, new.platform_minor))
    execute function is_frozen();

-- What a code offers a person who has this cart: the coupon as the checkout reckons with it, and how it stands. What an unpaid order
-- of the same cart claims is there for it, as is its stock: a new order takes that one's place.
create function coupon_offered(wanted text, who text, cart uuid) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'id', c.id, 'code', c.code, 'vendor', v.name, 'percent_bp', c.percent_bp, 'amount_minor', c.amount_minor,
        'currency', c.currency, 'minimum_minor', c.minimum_minor, 'only_vendor_id', c.only_vendor_id, 'category_id', c.category_id,
        'platform_bp', c.platform_bp,
        'standing', case
            when c.archived_at is not null or c.ends_on < t.today then 'ended'
            when c.starts_on > t.today then 'early'
            when c.used - own.claims >= c.limit_total then 'used_up'
            when coalesce((select p.used from coupon_people p where p.coupon_id = c.id and p.person = who), 0) - own.claims_of_person
                >= c.limit_person then 'used_by_you'
            else 'good' end)
    from coupons c left join vendors v on v.id = c.vendor_id
    cross join (select (now() at time zone 'UTC')::date as today) t
    cross join lateral (
        select count(*) as claims, count(*) filter (where k.person = who) as claims_of_person
        from orders o join coupon_claims k on k.order_id = o.id
        where o.cart_id = cart and o.status = 'pending' and k.coupon_id = c.id
          and not exists (select from payments y where y.order_id = o.id and y.state in ('processing', 'paid'))) own
    where c.code = wanted
$$;
