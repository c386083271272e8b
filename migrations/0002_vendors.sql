-- Vendors, what they charge for shipping, and the VAT of the countries we ship to.

create table vendors (
    id            uuid primary key,
    owner_id      uuid not null constraint vendors_owner_key unique references users,
    slug          text not null constraint vendors_slug_key unique
                  constraint vendors_slug_shape check (slug ~ '^[a-z0-9][a-z0-9-]{1,58}[a-z0-9]$'),
    name          text not null constraint vendors_name_length check (char_length(name) between 2 and 80),
    tagline       text not null default '' check (char_length(tagline) <= 160),
    description   text not null default '' check (char_length(description) <= 5000),
    country       text not null check (country ~ '^[A-Z]{2}$'),
    status        text not null default 'pending' check (status in ('pending', 'approved', 'refused', 'suspended')),
    status_reason text not null default '' check (char_length(status_reason) <= 500),
    applied_at    timestamptz not null default now(),
    decided_at    timestamptz,
    decided_by    uuid references users
);
create index vendors_status on vendors (status, applied_at);

create table shipping_methods (
    id              uuid primary key,
    vendor_id       uuid not null references vendors on delete cascade,
    -- stable within the vendor: 'standard', 'express'
    code            text not null check (code ~ '^[a-z0-9-]{1,40}$'),
    name            text not null check (char_length(name) between 1 and 80),
    price_minor     bigint not null check (price_minor between 0 and 1000000000),
    -- items of this vendor worth at least this ship free; null: never
    free_over_minor bigint check (free_over_minor between 0 and 1000000000),
    min_days        int not null check (min_days between 0 and 60),
    max_days        int not null check (max_days between min_days and 90),
    position        int not null default 0,
    constraint shipping_methods_code_key unique (vendor_id, code)
);

-- Countries we ship to, with the standard VAT rate in basis points. Prices are shown with VAT included.
create table countries (
    code        text primary key check (code ~ '^[A-Z]{2}$'),
    name        text not null,
    vat_rate_bp int not null check (vat_rate_bp between 0 and 5000)
);
insert into countries (code, name, vat_rate_bp) values
    ('GB', 'United Kingdom', 2000), ('IE', 'Ireland', 2300), ('FR', 'France', 2000), ('DE', 'Germany', 1900),
    ('NL', 'Netherlands', 2100), ('BE', 'Belgium', 2100), ('ES', 'Spain', 2100), ('PT', 'Portugal', 2300),
    ('IT', 'Italy', 2200), ('AT', 'Austria', 2000), ('DK', 'Denmark', 2500), ('SE', 'Sweden', 2500),
    ('FI', 'Finland', 2550), ('PL', 'Poland', 2300), ('NO', 'Norway', 2500), ('CH', 'Switzerland', 810);
