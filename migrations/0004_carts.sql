-- One cart per browser (opaque cookie, only its hash kept) or per account.

create table carts (
    id         uuid primary key,
    user_id    uuid constraint carts_user_key unique references users on delete cascade,
    token_hash bytea constraint carts_token_key unique check (octet_length(token_hash) = 32),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint carts_owner check (num_nonnulls(user_id, token_hash) = 1)
);
create index carts_age on carts (updated_at);

create table cart_lines (
    id               uuid primary key,
    cart_id          uuid not null references carts on delete cascade,
    variant_id       uuid not null references variants on delete cascade,
    quantity         int not null constraint cart_lines_quantity check (quantity between 1 and 999),
    -- the price the shopper last saw and accepted: a later rise is explained at the line and needs consent
    seen_price_minor bigint not null,
    added_at         timestamptz not null default now(),
    constraint cart_lines_variant_key unique (cart_id, variant_id)
);
