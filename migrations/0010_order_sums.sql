-- The check that children sum to their parent, for both tables that it guards: a field that only one of them has must stand in
-- a statement of its own, for PL/pgSQL looks up every field of a statement that it runs.

create or replace function orders_must_sum() returns trigger language plpgsql as $$
declare
    o orders;
    bad boolean;
    whole uuid;
begin
    if tg_table_name = 'orders' then
        whole := new.id;
    else
        whole := new.order_id;
    end if;
    select * into o from orders where id = whole;
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
