-- Shopper and vendor write to each other about a parcel. What they write are facts of the order's timeline; here is only what tells of them.
alter table vendor_orders
    -- since when the shopper waits for an answer
    add column asked_at timestamptz;
create index vendor_orders_asked on vendor_orders (vendor_id, asked_at) where asked_at is not null;

create function message_waits() returns trigger language plpgsql as $$
begin
    update vendor_orders set asked_at = case when new.kind = 'message_from_shopper' then coalesce(asked_at, new.at) end
    where id = new.vendor_order_id;
    return null;
end $$;
create trigger message_waits after insert on order_events
    for each row when (new.kind in ('message_from_shopper', 'message_from_vendor', 'message_settled')) execute function message_waits();

alter table live_events drop constraint live_events_kind_check;
alter table live_events add constraint live_events_kind_check
    check (kind in ('order', 'change', 'return', 'dispute', 'stock', 'payout', 'team', 'import', 'progress', 'message'));

create or replace function order_event_tells() returns trigger language plpgsql as $$
declare what text := case
    when new.kind = 'paid' then 'order'
    when new.kind like 'return\_%' then 'return'
    when new.kind like 'dispute%' then 'dispute'
    when new.kind = 'message_from_shopper' then 'message'
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
