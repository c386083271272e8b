-- What the REST interface keeps: answers to requests that must not happen twice, and tokens of programs.

create table idempotency_keys (
    -- 'user:{id}', 'cart:{hash of its token}' or 'order:{hash of its token}': a key opens nothing for anybody else
    owner       text not null,
    key         text not null check (char_length(key) between 1 and 255),
    -- The same for every run of the same request, also after a crash; the checkout makes its own key of it.
    id          uuid not null,
    -- SHA-256 over method, address and body
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    -- A request that still runs has no status. When its lease is over it was lost with its node, and may run again.
    lease_until timestamptz not null,
    status      smallint check (status between 100 and 599),
    -- [[name, value]]: the headers that belong to the answer; never a cookie
    headers     jsonb not null default '[]',
    body        bytea not null default '',
    created_at  timestamptz not null default now(),
    primary key (owner, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

create table api_tokens (
    id           uuid primary key,
    user_id      uuid not null references users on delete cascade,
    name         text not null check (char_length(name) between 1 and 80),
    -- SHA-256; the token itself is shown once and kept nowhere
    token_hash   bytea not null constraint api_tokens_hash_key unique check (octet_length(token_hash) = 32),
    -- write includes read
    scopes       text[] not null check (cardinality(scopes) > 0 and scopes <@ '{read,write}'),
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,
    -- to the hour: enough to see which ones are forgotten
    last_used_at timestamptz
);
create index api_tokens_user on api_tokens (user_id, created_at desc, id desc);
