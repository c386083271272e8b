-- Pages that are the same for everybody are kept by each node until something that they show changes. What they show is
-- told here, by the tables themselves, so that no writer can forget it. One channel, one word: the pages are drawn again.
-- A transaction that notifies takes a lock for its commit, so ordinary sales must not: a stock row speaks only when what the
-- shop says of it changes, which is below six (catalog::model::stock_words).

create function shelf_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('souk_shelf', '');
    return null;
end $$;

create trigger listings_shelf_rows after insert or delete on listings
    for each row execute function shelf_changed();
create trigger listings_shelf after update on listings
    for each row when (old is distinct from new) execute function shelf_changed();
create trigger products_shelf after update of title, description, option_names, category_id, slug, status on products
    for each row execute function shelf_changed();
create trigger variants_shelf after insert or update or delete on variants
    for each row execute function shelf_changed();
create trigger pictures_shelf after insert or update or delete on pictures
    for each row execute function shelf_changed();
create trigger categories_shelf after insert or update or delete on categories
    for each row execute function shelf_changed();
create trigger vendors_shelf after update of slug, name, tagline, description, country, status on vendors
    for each row execute function shelf_changed();
create trigger shipping_methods_shelf after insert or update or delete on shipping_methods
    for each row execute function shelf_changed();
create trigger stock_shelf after update on stock
    for each row when (least(old.on_hand - old.held, 6) is distinct from least(new.on_hand - new.held, 6))
    execute function shelf_changed();
