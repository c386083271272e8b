-- What is for sale, its stock, and one denormalised row per product for lists and search.

create extension if not exists unaccent;
create extension if not exists pg_trgm;

create table categories (
    id        uuid primary key,
    parent_id uuid references categories,
    slug      text not null constraint categories_slug_key unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,78}[a-z0-9]$'),
    name      text not null check (char_length(name) between 1 and 80),
    position  int not null default 0,
    -- root first, itself last; written by a trigger, so that breadcrumbs and "this and below" need no recursion
    path      uuid[] not null default '{}'
);
create index categories_path on categories using gin (path);

create function categories_set_path() returns trigger language plpgsql as $$
begin
    new.path := coalesce((select path from categories where id = new.parent_id), '{}') || new.id;
    if array_length(new.path, 1) > 6 then
        raise exception 'a category tree has at most six levels' using errcode = 'check_violation', constraint = 'categories_depth';
    end if;
    return new;
end $$;
create trigger categories_path before insert or update of parent_id on categories
    for each row execute function categories_set_path();

create table products (
    id           uuid primary key,
    vendor_id    uuid not null references vendors,
    category_id  uuid not null references categories,
    slug         text not null constraint products_slug_key unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,118}[a-z0-9]$'),
    title        text not null constraint products_title_length check (char_length(title) between 1 and 200),
    description  text not null default '' constraint products_description_length check (char_length(description) <= 10000),
    status       text not null default 'draft' constraint products_status check (status in ('draft', 'published', 'archived')),
    -- names of the options, at most three: {Size, Colour}; a variant has one value for each
    option_names text[] not null default '{}' constraint products_options check (cardinality(option_names) <= 3),
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    published_at timestamptz,
    constraint products_vendor_key unique (id, vendor_id),
    constraint products_published check (status <> 'published' or published_at is not null)
);
create index products_vendor on products (vendor_id, updated_at desc);

create table variants (
    id            uuid primary key,
    product_id    uuid not null,
    vendor_id     uuid not null,
    sku           text not null constraint variants_sku_length check (char_length(sku) between 1 and 64),
    option_values text[] not null default '{}',
    price_minor   bigint not null constraint variants_price check (price_minor between 0 and 1000000000),
    currency      text not null check (currency ~ '^[A-Z]{3}$'),
    position      int not null default 0,
    -- a variant that was ever sold stays, so that its orders and stock history keep their row
    archived      boolean not null default false,
    constraint variants_product foreign key (product_id, vendor_id) references products (id, vendor_id) on delete cascade,
    constraint variants_sku_key unique (vendor_id, sku)
);
create unique index variants_options_key on variants (product_id, option_values) where not archived;
create index variants_product on variants (product_id, position);

-- On its own, so that a sale rewrites a narrow row. Oversell is impossible here, whatever the program does.
create table stock (
    variant_id uuid primary key references variants on delete cascade,
    on_hand    int not null default 0 constraint stock_on_hand check (on_hand between 0 and 10000000),
    held       int not null default 0 constraint stock_held check (held >= 0),
    constraint stock_held_within check (held <= on_hand)
);

create table pictures (
    id         uuid primary key,
    product_id uuid not null references products on delete cascade,
    position   int not null default 0,
    alt        text not null default '' constraint pictures_alt_length check (char_length(alt) <= 200),
    -- objects pictures/{id}/{w}.webp exist for every w in widths
    widths     int[] not null check (cardinality(widths) between 1 and 4),
    width      int not null check (width > 0),
    height     int not null check (height > 0),
    created_at timestamptz not null default now()
);
create index pictures_product on pictures (product_id, position);

-- What a list shows, in one row; also what search reads. Only published products of approved vendors stand here.
create table listings (
    product_id    uuid primary key references products on delete cascade,
    slug          text not null,
    title         text not null,
    vendor_id     uuid not null,
    vendor_slug   text not null,
    vendor_name   text not null,
    category_id   uuid not null,
    category_slug text not null,
    category_name text not null,
    -- root first
    category_path uuid[] not null,
    -- the lowest price of its variants, and the highest
    price_minor   bigint not null,
    price_max     bigint not null,
    currency      text not null,
    in_stock      boolean not null,
    picture_id    uuid,
    picture_alt   text,
    second_picture_id uuid,
    published_at  timestamptz not null,
    search        tsvector not null
);
create index listings_newest on listings (published_at desc, product_id desc);
create index listings_price on listings (price_minor, product_id);
create index listings_vendor on listings (vendor_id, published_at desc, product_id desc);
create index listings_category on listings using gin (category_path);
create index listings_search on listings using gin (search);
create index listings_title on listings using gin (title gin_trgm_ops);

-- Accents do not matter to search: "creme" finds "crème".
create text search configuration souk (copy = english);
alter text search configuration souk
    alter mapping for hword, hword_part, word with unaccent, english_stem;

create function refresh_listing(p uuid) returns void language sql as $$
    delete from listings l where l.product_id = p and not exists (
        select 1 from products x join vendors v on v.id = x.vendor_id
        where x.id = p and x.status = 'published' and v.status = 'approved'
          and exists (select 1 from variants a where a.product_id = p and not a.archived));
    insert into listings
    select x.id, x.slug, x.title, v.id, v.slug, v.name, c.id, c.slug, c.name, c.path,
           a.low, a.high, a.currency, a.in_stock, i.ids[1], i.alts[1], i.ids[2], x.published_at,
           setweight(to_tsvector('souk', x.title), 'A')
             || setweight(to_tsvector('souk', c.name || ' ' || v.name || ' ' || a.words), 'B')
             || setweight(to_tsvector('souk', left(x.description, 4000)), 'D')
    from products x
    join vendors v on v.id = x.vendor_id and v.status = 'approved'
    join categories c on c.id = x.category_id
    join lateral (
        select min(price_minor) as low, max(price_minor) as high, min(currency) as currency,
               bool_or(s.on_hand > s.held) as in_stock,
               string_agg(sku || ' ' || array_to_string(option_values, ' '), ' ') as words
        from variants join stock s on s.variant_id = variants.id
        where product_id = x.id and not archived
        having count(*) > 0) a on true
    join lateral (
        select array_agg(id order by position, id) as ids, array_agg(alt order by position, id) as alts
        from pictures where product_id = x.id) i on true
    where x.id = p and x.status = 'published'
    on conflict (product_id) do update set
        slug = excluded.slug, title = excluded.title, vendor_slug = excluded.vendor_slug, vendor_name = excluded.vendor_name,
        category_id = excluded.category_id, category_slug = excluded.category_slug, category_name = excluded.category_name,
        category_path = excluded.category_path, price_minor = excluded.price_minor, price_max = excluded.price_max,
        currency = excluded.currency, in_stock = excluded.in_stock, picture_id = excluded.picture_id,
        picture_alt = excluded.picture_alt, second_picture_id = excluded.second_picture_id,
        published_at = excluded.published_at, search = excluded.search;
$$;

create function listing_of_product() returns trigger language plpgsql as $$
begin perform refresh_listing(new.id); return null; end $$;
create trigger products_listing after insert or update on products
    for each row execute function listing_of_product();

create function listing_of_part() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then perform refresh_listing(old.product_id); end if;
    if tg_op <> 'DELETE' then perform refresh_listing(new.product_id); end if;
    return null;
end $$;
create trigger variants_listing after insert or update or delete on variants
    for each row execute function listing_of_part();
create trigger pictures_listing after insert or update or delete on pictures
    for each row execute function listing_of_part();

create function listing_of_stock() returns trigger language plpgsql as $$
begin perform refresh_listing((select product_id from variants where id = new.variant_id)); return null; end $$;
create trigger stock_listing_new after insert on stock
    for each row execute function listing_of_stock();
-- A sale touches the listing only when the last unit goes or the first comes back.
create trigger stock_listing_turn after update on stock
    for each row when ((old.on_hand > old.held) is distinct from (new.on_hand > new.held))
    execute function listing_of_stock();

create function listing_of_vendor() returns trigger language plpgsql as $$
begin perform refresh_listing(id) from products where vendor_id = new.id; return null; end $$;
create trigger vendors_listing after update of status, name, slug on vendors
    for each row execute function listing_of_vendor();

create function listing_of_category() returns trigger language plpgsql as $$
begin perform refresh_listing(id) from products where category_id = new.id; return null; end $$;
create trigger categories_listing after update of name, slug, path on categories
    for each row execute function listing_of_category();

-- How far an import of one file (by its SHA-256) came, so that it can go on.
create table import_runs (
    vendor_id   uuid not null references vendors on delete cascade,
    digest      bytea not null,
    rows_done   bigint not null default 0,
    created     bigint not null default 0,
    updated     bigint not null default 0,
    refused     bigint not null default 0,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    primary key (vendor_id, digest)
);
