-- Who changed what about money and permissions: written with the change, only added to, and chained by hashes so that a row which
-- was changed, taken out or slipped in later is found (souk verify audit).

create table audit_log (
    id           bigint generated always as identity primary key,
    at           timestamptz not null default now(),
    -- null: nobody who was signed in; the detail says who then (Stripe, the command line, the program itself).
    -- No foreign key, here and below: the log outlives what it speaks of, and a lock on a row of another table has no place in it.
    actor_id     uuid,
    -- what was done, to what: 'vendor.suspended', 'refund.booked'
    action       text not null check (action ~ '^[a-z_]+\.[a-z_]+$' and char_length(action) <= 60),
    subject_kind text not null check (subject_kind ~ '^[a-z_]+$' and char_length(subject_kind) <= 40),
    subject_id   text not null check (char_length(subject_id) between 1 and 255),
    detail       jsonb not null default '{}' check (jsonb_typeof(detail) = 'object')
);
create index audit_log_subject on audit_log (subject_id, id desc);
create index audit_log_actor on audit_log (actor_id, id desc) where actor_id is not null;
create index audit_log_action on audit_log (action text_pattern_ops, id desc);

-- The chain. Each hash is over the one before it and the text of one entry. It is made a few seconds after the entries are written,
-- by one node at a time: a chain made in the business transaction would let only one of them at a time come to its end.
create table audit_chain (
    position   bigint primary key check (position > 0),
    entry_id   bigint not null constraint audit_chain_entry_key unique,
    previous   bytea not null check (octet_length(previous) = 32),
    hash       bytea not null check (octet_length(hash) = 32),
    chained_at timestamptz not null default now()
);

-- Entries that are not in the chain yet. Written by the statement that writes the entry, so an entry that is neither here nor in the
-- chain was not written by the program.
create table audit_waiting (
    entry_id bigint primary key
);

create trigger only_added_to before update or delete or truncate on audit_log for each statement execute function only_added_to();
create trigger only_added_to before update or delete or truncate on audit_chain for each statement execute function only_added_to();
revoke update, delete, truncate on audit_log, audit_chain from public, current_user;
