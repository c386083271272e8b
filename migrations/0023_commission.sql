-- What the platform takes of each line and of shipping, frozen when it is sold.
alter table order_lines
    add column commission_rule_id uuid,
    add column commission_rule text not null default '',
    add column fee_minor bigint not null default 0,
    add column fee_vat_minor bigint not null default 0,
    add column platform_discount_minor bigint not null default 0;
alter table vendor_orders
    add column fee_minor bigint not null default 0,
    add column fee_vat_minor bigint not null default 0,
    add column shipping_fee_minor bigint not null default 0,
    add column shipping_fee_vat_minor bigint not null default 0;
