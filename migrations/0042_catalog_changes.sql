-- What was changed for many goods at once, with what stood before, so that it can be taken back.
create table catalog_changes (
    id        uuid primary key,
    vendor_id uuid not null references vendors on delete cascade,
    actor_id  uuid not null references users,
    -- in words: "Prices raised by 10 %"
    title     text not null check (char_length(title) between 1 and 200),
    -- [{"what": "price", "id": variant or product, "label": ..., "was": ..., "now": ...}]
    rows      jsonb not null,
    at        timestamptz not null default now(),
    -- by the change that took it back
    undone_by uuid references catalog_changes on delete cascade
);
create index catalog_changes_vendor on catalog_changes (vendor_id, at desc);
