-- Reduced prices for a time, and what the law wants to be said beside them: the lowest price of the thirty days before
-- (Directive 98/6/EC, Article 6a, as amended by Directive (EU) 2019/2161, "Omnibus").
--
-- `price_minor` is what a variant costs now, and everything that shows, sorts or sells goes on to read it. `regular_minor` is what its vendor
-- wrote down. A trigger derives the one from the other: who writes only `price_minor` means the regular price.

create table promotions (
    id          uuid primary key,
    vendor_id   uuid not null references vendors,
    name        text not null constraint promotions_name_length check (char_length(name) between 1 and 80),
    off_bp      int not null constraint promotions_off check (off_bp between 100 and 9000),
    -- for this category and all below it, or for this product alone; for everything of the vendor where both are null
    category_id uuid references categories,
    product_id  uuid references products on delete cascade,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    -- moved by the clock, or ended by the vendor
    state       text not null default 'planned' check (state in ('planned', 'running', 'ended')),
    created_by  uuid references users,
    created_at  timestamptz not null default now(),
    constraint promotions_window check (starts_at < ends_at),
    constraint promotions_scope check (category_id is null or product_id is null)
);
create index promotions_vendor on promotions (vendor_id, created_at desc, id desc);
create index promotions_due on promotions (state, starts_at, ends_at) where state <> 'ended';

-- What it takes in: the goods that are for sale when it begins. What comes later has no price of before to be reduced.
create table promotion_variants (
    promotion_id uuid not null references promotions on delete cascade,
    variant_id   uuid not null references variants on delete cascade,
    primary key (promotion_id, variant_id)
);
create index promotion_variants_variant on promotion_variants (variant_id);

alter table variants
    add column regular_minor bigint,
    -- by the running promotion that takes most off; 0: none
    add column off_bp int not null default 0 constraint variants_off check (off_bp between 0 and 9000),
    -- since when it has been reduced without interruption, and the lowest price of the thirty days before that
    add column reduced_since timestamptz,
    add column prior_minor bigint;
alter table variants disable trigger user;
update variants set regular_minor = price_minor;
alter table variants enable trigger user;
alter table variants
    alter column regular_minor set not null,
    add constraint variants_regular check (regular_minor between 0 and 1000000000),
    add constraint variants_reduced check (price_minor = regular_minor - round(regular_minor * off_bp / 10000.0)),
    add constraint variants_prior check ((off_bp = 0) = (reduced_since is null) and (off_bp = 0) = (prior_minor is null));

-- Every price that a variant ever had, from when on. Only added to.
create table price_history (
    id          bigint generated always as identity primary key,
    variant_id  uuid not null references variants on delete cascade,
    price_minor bigint not null,
    at          timestamptz not null default now()
);
create index price_history_variant on price_history (variant_id, at desc, id desc);
insert into price_history (variant_id, price_minor, at)
    select v.id, v.price_minor, p.created_at from variants v join products p on p.id = v.product_id;

-- The lowest price that a variant had in the thirty days before a moment, the one that held when they began included; null where it had
-- none before.
create function lowest_before(variant uuid, moment timestamptz) returns bigint language sql stable as $$
    select min(price_minor) from (
        select price_minor from price_history where variant_id = variant and at < moment and at > moment - interval '30 days'
        union all
        (select price_minor from price_history where variant_id = variant and at <= moment - interval '30 days' order by at desc, id desc limit 1)) x
$$;

create function variant_price() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        new.regular_minor := coalesce(new.regular_minor, new.price_minor);
    else
        if new.price_minor <> old.price_minor and new.regular_minor = old.regular_minor then
            new.regular_minor := new.price_minor;
        end if;
        if new.off_bp = 0 then
            new.reduced_since := null;
            new.prior_minor := null;
        elsif old.off_bp = 0 or new.off_bp < old.off_bp then
            -- Taking more off without a break goes on with what was said before (Article 6a, paragraph 5); taking less off begins anew.
            new.reduced_since := now();
            new.prior_minor := coalesce(lowest_before(new.id, now()), old.price_minor);
        end if;
    end if;
    new.price_minor := new.regular_minor - round(new.regular_minor * new.off_bp / 10000.0);
    return new;
end $$;
create trigger variants_price before insert or update of price_minor, regular_minor, off_bp on variants
    for each row execute function variant_price();

create function price_is_history() returns trigger language plpgsql as $$
begin
    insert into price_history (variant_id, price_minor) values (new.id, new.price_minor);
    return null;
end $$;
create trigger variants_history_new after insert on variants for each row execute function price_is_history();
create trigger variants_history after update on variants
    for each row when (old.price_minor <> new.price_minor) execute function price_is_history();

-- Brings a vendor's prices to what its running promotions make of them. The vendor is locked: two that begin at once see each other.
create function apply_promotions(vendor uuid) returns void language plpgsql as $$
begin
    perform 1 from vendors where id = vendor for no key update;
    update variants v set off_bp = x.off_bp
    from (select v.id, coalesce(max(p.off_bp), 0) as off_bp
          from variants v left join promotion_variants m on m.variant_id = v.id
          left join promotions p on p.id = m.promotion_id and p.state = 'running'
          where v.vendor_id = vendor group by v.id order by v.id) x
    where v.id = x.id and v.off_bp <> x.off_bp;
end $$;

-- What a list may say of a reduction: where all variants cost the same and were dearer before, what they cost then.
alter table listings add column prior_minor bigint;
create or replace function refresh_listing(p uuid) returns void language sql as $$
    delete from listings l where l.product_id = p and not exists (
        select 1 from products x join vendors v on v.id = x.vendor_id
        where x.id = p and x.status = 'published' and v.status = 'approved'
          and exists (select 1 from variants a where a.product_id = p and not a.archived));
    insert into listings
    select x.id, x.slug, x.title, v.id, v.slug, v.name, c.id, c.slug, c.name, c.path,
           a.low, a.high, a.currency, a.in_stock, i.ids[1], i.alts[1], i.ids[2], x.published_at,
           setweight(to_tsvector('souk', x.title), 'A')
             || setweight(to_tsvector('souk', c.name || ' ' || v.name || ' ' || a.words), 'B')
             || setweight(to_tsvector('souk', left(x.description, 4000)), 'D'),
           case when a.low = a.high and a.prior > a.low then a.prior end
    from products x
    join vendors v on v.id = x.vendor_id and v.status = 'approved'
    join categories c on c.id = x.category_id
    join lateral (
        select min(price_minor) as low, max(price_minor) as high, min(currency) as currency,
               -- null where one of them is not reduced
               case when bool_and(prior_minor is not null) then min(prior_minor) end as prior,
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
        published_at = excluded.published_at, search = excluded.search, prior_minor = excluded.prior_minor;
$$;
