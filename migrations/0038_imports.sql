-- Files of products that vendors bring to the page: what was sent, which column is which, and how far the work came.

-- The file itself is in the store under imports/{id}, plain and as it was sent. A row is there before it, so that nothing is in the
-- store that no row knows.
create table imports (
    id            uuid primary key,
    vendor_id     uuid not null references vendors on delete cascade,
    -- who brought it; what it changes is written down as theirs
    user_id       uuid not null references users,
    file_name     text not null constraint imports_file_name check (char_length(file_name) between 1 and 200),
    -- receiving: the file is not whole yet · received: its columns are not chosen · checking, checked: tried without keeping anything ·
    -- importing, done · cancelled: by its vendor, what was done stays · failed: it cannot go on; why is in failure
    state         text not null default 'receiving'
                  check (state in ('receiving', 'received', 'checking', 'checked', 'importing', 'done', 'cancelled', 'failed')),
    separator     text not null default ',' check (separator in (',', ';', e'\t')),
    -- the names in the first row, a first value of each column, and the SHA-256 of the names by which the choice is remembered
    header        text[] not null default '{}' check (cardinality(header) <= 200),
    examples      text[] not null default '{}' check (cardinality(examples) = cardinality(header)),
    header_digest bytea not null default '',
    bytes_total   bigint not null default 0,
    rows_total    bigint not null default 0,
    -- where the first row below the names begins
    data_at       bigint not null default 0,
    data_line     bigint not null default 1,
    -- which of their columns each of ours is, in the order of catalog::import::COLUMNS; -1: none of them
    columns       int[],
    -- where all rows go when no column says it
    category_id   uuid references categories,
    -- the place: the next row to do. It moves in the transaction of the rows before it.
    at_byte       bigint not null default 0,
    at_line       bigint not null default 1,
    rows_done     bigint not null default 0,
    created       bigint not null default 0,
    changed       bigint not null default 0,
    unchanged     bigint not null default 0,
    refused       bigint not null default 0,
    failure       text,
    created_at    timestamptz not null default now(),
    finished_at   timestamptz,
    constraint imports_rows check (rows_done = created + changed + unchanged + refused and rows_done <= rows_total),
    constraint imports_header check (state = 'receiving' or cardinality(header) > 0),
    constraint imports_columns check (state in ('receiving', 'received') or columns is not null)
);
create index imports_vendor on imports (vendor_id, created_at desc, id desc);
create index imports_old on imports (created_at);
-- Two at a time would wait for each other's rows.
create unique index imports_one_at_a_time on imports (vendor_id) where state in ('checking', 'importing');

-- The rows that were left out.
create table import_errors (
    import_id uuid not null references imports on delete cascade,
    line      bigint not null,
    -- one of ours; empty where it is the row as a whole
    field     text not null,
    message   text not null,
    primary key (import_id, line)
);

-- What a check would have made in batches before, which the database has forgotten by then.
create table import_made (
    import_id uuid not null references imports on delete cascade,
    sku       text not null,
    primary key (import_id, sku)
);

-- The columns that a vendor chose for a file with these names.
create table import_columns (
    vendor_id     uuid not null references vendors on delete cascade,
    header_digest bytea not null,
    columns       int[] not null,
    category_id   uuid references categories on delete set null,
    used_at       timestamptz not null default now(),
    primary key (vendor_id, header_digest)
);

-- Rows of an import of the command line that were as the shop is already.
alter table import_runs add column unchanged bigint not null default 0;

-- A vendor's goods in the order in which they are exported, a page at a time.
create index variants_of_vendor on variants (vendor_id, product_id, position, id) where not archived;

-- An open dashboard is told that an import went on, and that it came to an end.
alter table live_events drop constraint live_events_kind_check;
alter table live_events add constraint live_events_kind_check
    check (kind in ('order', 'change', 'return', 'dispute', 'stock', 'payout', 'import', 'progress'));

create function import_tells() returns trigger language plpgsql as $$
begin
    insert into live_events (vendor_id, kind, subject_id) values (
        new.vendor_id,
        case when new.state <> old.state and new.state in ('checked', 'done', 'failed') then 'import' else 'progress' end,
        new.id);
    return null;
end $$;
create trigger tells after update of state, rows_done on imports
    for each row when (old.state is distinct from new.state or old.rows_done is distinct from new.rows_done)
    execute function import_tells();
