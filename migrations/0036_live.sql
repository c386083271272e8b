-- What a vendor's dashboard is told while it is open. The tables tell it themselves, in the transaction of the change, so that no
-- writer can forget it. A row says only that something happened to something: the page shows how it is now.
--
-- Nobody is notified in that transaction: NOTIFY makes commits wait for each other, and these are the sales. Whoever wrote nudges
-- the nodes a moment later (`live::hub`), and they read from here.
create table live_events (
    id         bigint generated always as identity primary key,
    -- Ids are given before the commit, so a lower one can appear later. By transaction it can be told what a reader cannot have seen.
    xid        xid8 not null default pg_current_xact_id(),
    vendor_id  uuid not null references vendors on delete cascade,
    kind       text not null check (kind in ('order', 'change', 'return', 'dispute', 'stock', 'payout')),
    subject_id uuid not null,
    at         timestamptz not null default now()
);
create index live_events_xid on live_events (xid);
create index live_events_vendor on live_events (vendor_id, at);

-- What happens to an order concerns its vendors from the moment it is paid.
create function order_event_tells() returns trigger language plpgsql as $$
declare what text := case
    when new.kind = 'paid' then 'order'
    when new.kind like 'return\_%' then 'return'
    when new.kind like 'dispute%' then 'dispute'
    when new.kind in ('cancelled', 'refunded', 'refunded_in_dashboard', 'refund_failed', 'shipped', 'delivered') then 'change'
end;
begin
    if what is not null then
        insert into live_events (vendor_id, kind, subject_id)
        select v.vendor_id, what, v.id from vendor_orders v join orders o on o.id = v.order_id
        where v.order_id = new.order_id and (new.vendor_order_id is null or v.id = new.vendor_order_id) and o.placed_at is not null;
    end if;
    return null;
end $$;
create trigger tells after insert on order_events for each row execute function order_event_tells();

-- A shelf speaks when it runs low or fills again, not with every sale.
create function stock_tells() returns trigger language plpgsql as $$
begin
    insert into live_events (vendor_id, kind, subject_id) select vendor_id, 'stock', product_id from variants where id = new.variant_id;
    return null;
end $$;
create trigger tells after update on stock
    for each row when (least(old.on_hand - old.held, 4) is distinct from least(new.on_hand - new.held, 4)) execute function stock_tells();

create function payout_tells() returns trigger language plpgsql as $$
begin
    insert into live_events (vendor_id, kind, subject_id) values (new.vendor_id, 'payout', new.id);
    return null;
end $$;
create trigger tells after update of state on payouts
    for each row when (old.state is distinct from new.state) execute function payout_tells();
