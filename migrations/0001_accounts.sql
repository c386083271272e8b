-- Who people are, and how a session knows them.

create table users (
    id            uuid primary key,
    -- public name in addresses: /users/{handle}
    handle        text not null constraint users_handle_key unique
                  constraint users_handle_shape check (handle ~ '^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$'),
    name          text not null constraint users_name_length check (char_length(name) between 1 and 80),
    -- kept in lower case, so that one plain unique index is enough
    email         text not null constraint users_email_key unique
                  constraint users_email_shape check (email = lower(email) and char_length(email) between 3 and 254 and email like '%_@_%'),
    -- argon2id in PHC form
    password_hash text not null,
    operator      boolean not null default false,
    language      text not null default 'en' constraint users_language check (language in ('en')),
    currency      text not null default 'GBP' constraint users_currency check (currency ~ '^[A-Z]{3}$'),
    theme         text not null default 'system' constraint users_theme check (theme in ('system', 'light', 'dark')),
    notify_orders boolean not null default true,
    notify_news   boolean not null default false,
    created_at    timestamptz not null default now()
);

-- Only the SHA-256 of the token is kept: a copy of this table opens no session.
create table sessions (
    token_hash bytea primary key constraint sessions_hash_length check (octet_length(token_hash) = 32),
    user_id    uuid references users on delete cascade,
    data       jsonb not null,
    created_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_user on sessions (user_id) where user_id is not null;
create index sessions_expiry on sessions (expires_at);

-- Failed sign-ins per account ('account:…') and per address ('address:…'), shared by all nodes.
create table sign_in_failures (
    scope     text not null,
    failed_at timestamptz not null default now()
);
create index sign_in_failures_scope on sign_in_failures (scope, failed_at);

create table addresses (
    id          uuid primary key,
    user_id     uuid not null references users on delete cascade,
    name        text not null check (char_length(name) between 1 and 80),
    line1       text not null check (char_length(line1) between 1 and 120),
    line2       text not null default '' check (char_length(line2) <= 120),
    city        text not null check (char_length(city) between 1 and 80),
    postal_code text not null check (char_length(postal_code) between 1 and 20),
    country     text not null check (country ~ '^[A-Z]{2}$'),
    preferred   boolean not null default false,
    created_at  timestamptz not null default now()
);
create index addresses_user on addresses (user_id);
create unique index addresses_one_preferred on addresses (user_id) where preferred;
