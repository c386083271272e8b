-- Lists of a category and what was meant by a misspelt word, at the same price whatever the size of the catalogue.

-- One row for each category that a listing stands in: its own and all above it. A list of a category is one walk along an index.
create table category_listings (
    category_id  uuid not null,
    product_id   uuid not null references listings on delete cascade,
    published_at timestamptz not null,
    price_minor  bigint not null,
    in_stock     boolean not null,
    primary key (product_id, category_id)
);
create index category_listings_newest on category_listings (category_id, published_at desc, product_id desc) include (in_stock, price_minor);
create index category_listings_price on category_listings (category_id, price_minor, product_id) include (in_stock);

create function places_of_listing() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        delete from category_listings where product_id = new.product_id and category_id <> all (new.category_path);
    end if;
    insert into category_listings as c
    select id, new.product_id, new.published_at, new.price_minor, new.in_stock from unnest(new.category_path) id
    on conflict (product_id, category_id) do update
        set published_at = excluded.published_at, price_minor = excluded.price_minor, in_stock = excluded.in_stock
        where (c.published_at, c.price_minor, c.in_stock) is distinct from (excluded.published_at, excluded.price_minor, excluded.in_stock);
    return null;
end $$;
create trigger listings_places_new after insert on listings for each row execute function places_of_listing();
create trigger listings_places after update on listings for each row
    when ((old.category_path, old.published_at, old.price_minor, old.in_stock)
          is distinct from (new.category_path, new.published_at, new.price_minor, new.in_stock))
    execute function places_of_listing();
insert into category_listings select unnest(category_path), product_id, published_at, price_minor, in_stock from listings;

-- Every word that stands in a title: what somebody meant who wrote another one is looked for here, not among all goods. A word
-- whose goods are gone finds nothing and does no harm.
create table search_words (word text primary key);
create index search_words_alike on search_words using gin (word gin_trgm_ops);

create function words_of_listing() returns trigger language plpgsql as $$
begin
    insert into search_words
    select distinct w from regexp_split_to_table(lower(unaccent(new.title)), '[^[:alpha:]]+') w where char_length(w) between 3 and 40
    on conflict do nothing;
    return null;
end $$;
create trigger listings_words_new after insert on listings for each row execute function words_of_listing();
create trigger listings_words after update on listings for each row when (old.title <> new.title) execute function words_of_listing();
insert into search_words
select distinct w from listings, regexp_split_to_table(lower(unaccent(title)), '[^[:alpha:]]+') w where char_length(w) between 3 and 40;

-- Nothing searches titles by likeness any more.
drop index listings_title;

-- What a vendor's card shows: its newest pictures, without a look at goods that have none.
create index listings_vendor_pictures on listings (vendor_id, published_at desc, product_id desc) include (picture_id)
    where picture_id is not null;
