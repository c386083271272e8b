-- A vendor's figures by day, so that its dashboard opens as fast after a million sales as after ten.
--
-- What changes a figure writes down by how much (`figure_changes`), in its own transaction, and waits for nobody: a row per vendor and
-- day that every sale adds to would make the sales wait for each other. Now and then what was written down is added up into the days
-- (`fold_figures`). A figure is always the sum of both. Days are those of UTC.

create table vendor_days (
    vendor_id     uuid not null references vendors on delete cascade,
    day           date not null,
    -- parcels of paid orders, the pieces in them, and what they cost: items and shipping, VAT included
    orders        bigint not null default 0,
    pieces        bigint not null default 0,
    revenue_minor bigint not null default 0,
    -- given back, on the day on which it was decided; a refund that failed counts no more
    refunds_minor bigint not null default 0,
    -- asked for by shoppers
    returns       bigint not null default 0,
    -- of the pages of its products
    views         bigint not null default 0,
    primary key (vendor_id, day)
);

create table product_days (
    vendor_id     uuid not null references vendors on delete cascade,
    day           date not null,
    product_id    uuid not null references products on delete cascade,
    pieces        bigint not null default 0,
    -- of its lines, after discounts, VAT included
    revenue_minor bigint not null default 0,
    views         bigint not null default 0,
    primary key (vendor_id, day, product_id)
);

-- What was not added up yet. Without product: a change of the vendor's figures, else one of the product's.
create table figure_changes (
    id            bigint generated always as identity primary key,
    vendor_id     uuid not null,
    product_id    uuid,
    day           date not null,
    orders        bigint not null default 0,
    pieces        bigint not null default 0,
    revenue_minor bigint not null default 0,
    refunds_minor bigint not null default 0,
    returns       bigint not null default 0,
    views         bigint not null default 0
);
create index figure_changes_vendor on figure_changes (vendor_id, day);

-- The facts, as the figures count them: what the triggers write down is checked against these by `souk verify`.
create view vendor_day_facts as
    select vendor_id, day, sum(orders)::bigint as orders, sum(pieces)::bigint as pieces, sum(revenue_minor)::bigint as revenue_minor,
           sum(refunds_minor)::bigint as refunds_minor, sum(returns)::bigint as returns
    from (
        select v.vendor_id, (o.placed_at at time zone 'UTC')::date as day, 1 as orders,
               (select sum(l.quantity) from order_lines l where l.vendor_order_id = v.id) as pieces,
               v.total_minor as revenue_minor, 0 as refunds_minor, 0 as returns
        from vendor_orders v join orders o on o.id = v.order_id where o.placed_at is not null
        union all
        select v.vendor_id, (r.created_at at time zone 'UTC')::date, 0, 0, 0, p.amount_minor, 0
        from refund_parts p join refunds r on r.id = p.refund_id join vendor_orders v on v.id = p.vendor_order_id where r.state <> 'failed'
        union all
        select v.vendor_id, (t.asked_at at time zone 'UTC')::date, 0, 0, 0, 0, 1
        from returns t join vendor_orders v on v.id = t.vendor_order_id) x
    group by vendor_id, day;

create view product_day_facts as
    select v.vendor_id, (o.placed_at at time zone 'UTC')::date as day, l.product_id,
           sum(l.quantity)::bigint as pieces, sum(l.total_minor)::bigint as revenue_minor
    from order_lines l join vendor_orders v on v.id = l.vendor_order_id join orders o on o.id = v.order_id
    where o.placed_at is not null and l.product_id is not null group by 1, 2, 3;

-- The figures as they are now.
create view vendor_day_figures as
    select vendor_id, day, sum(orders)::bigint as orders, sum(pieces)::bigint as pieces, sum(revenue_minor)::bigint as revenue_minor,
           sum(refunds_minor)::bigint as refunds_minor, sum(returns)::bigint as returns, sum(views)::bigint as views
    from (select vendor_id, day, orders, pieces, revenue_minor, refunds_minor, returns, views from vendor_days
          union all
          select vendor_id, day, orders, pieces, revenue_minor, refunds_minor, returns, views from figure_changes
          where product_id is null) x
    group by vendor_id, day;

create view product_day_figures as
    select vendor_id, day, product_id, sum(pieces)::bigint as pieces, sum(revenue_minor)::bigint as revenue_minor, sum(views)::bigint as views
    from (select vendor_id, day, product_id, pieces, revenue_minor, views from product_days
          union all
          select vendor_id, day, product_id, pieces, revenue_minor, views from figure_changes where product_id is not null) x
    group by vendor_id, day, product_id;

-- A paid order counts on the day of its payment, and goes on to count when it is called off: what goes back then is a refund.
-- Deferred: an order of the past may be written paid before its parcels are.
create function order_counts() returns trigger language plpgsql as $$
declare
    placed date := (new.placed_at at time zone 'UTC')::date;
    before date;
begin
    if tg_op = 'UPDATE' then
        before := (old.placed_at at time zone 'UTC')::date;
    end if;
    if placed is not distinct from before then
        return null;
    end if;
    insert into figure_changes (vendor_id, product_id, day, orders, pieces, revenue_minor)
    select x.vendor_id, x.product_id, d.day, d.sign * x.orders, d.sign * x.pieces, d.sign * x.revenue_minor
    from (values (before, -1), (placed, 1)) d (day, sign),
         (select v.vendor_id, null::uuid as product_id, 1 as orders, v.total_minor as revenue_minor,
                 (select sum(l.quantity) from order_lines l where l.vendor_order_id = v.id) as pieces
          from vendor_orders v where v.order_id = new.id
          union all
          select v.vendor_id, l.product_id, 0, sum(l.total_minor), sum(l.quantity)
          from order_lines l join vendor_orders v on v.id = l.vendor_order_id
          where l.order_id = new.id and l.product_id is not null group by 1, 2) x
    where d.day is not null;
    return null;
end $$;
create constraint trigger counts_new after insert on orders
    deferrable initially deferred for each row when (new.placed_at is not null) execute function order_counts();
create constraint trigger counts after update of placed_at on orders
    deferrable initially deferred for each row when (old.placed_at is distinct from new.placed_at) execute function order_counts();

create function refund_part_counts() returns trigger language plpgsql as $$
begin
    insert into figure_changes (vendor_id, day, refunds_minor)
    select v.vendor_id, (r.created_at at time zone 'UTC')::date, new.amount_minor
    from refunds r, vendor_orders v where r.id = new.refund_id and r.state <> 'failed' and v.id = new.vendor_order_id;
    return null;
end $$;
create trigger counts after insert on refund_parts for each row when (new.vendor_order_id is not null) execute function refund_part_counts();

create function failed_refund_counts_no_more() returns trigger language plpgsql as $$
begin
    insert into figure_changes (vendor_id, day, refunds_minor)
    select v.vendor_id, (new.created_at at time zone 'UTC')::date, -sum(p.amount_minor)
    from refund_parts p join vendor_orders v on v.id = p.vendor_order_id where p.refund_id = new.id group by 1;
    return null;
end $$;
create trigger counts_no_more after update of state on refunds
    for each row when (old.state <> 'failed' and new.state = 'failed') execute function failed_refund_counts_no_more();

create function return_counts() returns trigger language plpgsql as $$
begin
    insert into figure_changes (vendor_id, day, returns)
    select vendor_id, (new.asked_at at time zone 'UTC')::date, 1 from vendor_orders where id = new.vendor_order_id;
    return null;
end $$;
create trigger counts after insert on returns for each row execute function return_counts();

-- Adds up at most so many changes, and says how many it was; one at a time.
create function fold_figures(most int) returns bigint language plpgsql as $$
declare
    folded bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('fold_figures')) then
        return 0;
    end if;
    with gone as (
        delete from figure_changes where id in (select id from figure_changes order by id limit most) returning *),
    vendor as (
        insert into vendor_days as d (vendor_id, day, orders, pieces, revenue_minor, refunds_minor, returns, views)
        select g.vendor_id, g.day, sum(g.orders), sum(g.pieces), sum(g.revenue_minor), sum(g.refunds_minor), sum(g.returns), sum(g.views)
        from gone g join vendors v on v.id = g.vendor_id where g.product_id is null group by 1, 2
        on conflict (vendor_id, day) do update set
            orders = d.orders + excluded.orders, pieces = d.pieces + excluded.pieces, revenue_minor = d.revenue_minor + excluded.revenue_minor,
            refunds_minor = d.refunds_minor + excluded.refunds_minor, returns = d.returns + excluded.returns, views = d.views + excluded.views),
    product as (
        insert into product_days as d (vendor_id, day, product_id, pieces, revenue_minor, views)
        select g.vendor_id, g.day, g.product_id, sum(g.pieces), sum(g.revenue_minor), sum(g.views)
        from gone g join products p on p.id = g.product_id where g.product_id is not null group by 1, 2, 3
        on conflict (vendor_id, day, product_id) do update set
            pieces = d.pieces + excluded.pieces, revenue_minor = d.revenue_minor + excluded.revenue_minor, views = d.views + excluded.views)
    select count(*) into folded from gone;
    return folded;
end $$;

-- What was sold before there were figures.
insert into vendor_days (vendor_id, day, orders, pieces, revenue_minor, refunds_minor, returns)
    select vendor_id, day, orders, pieces, revenue_minor, refunds_minor, returns from vendor_day_facts;
insert into product_days (vendor_id, day, product_id, pieces, revenue_minor)
    select vendor_id, day, product_id, pieces, revenue_minor from product_day_facts;
