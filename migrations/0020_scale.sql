-- What pages are read by, whatever the size of the catalogue: each of these orders is one walk along an index.

-- The entrance shows one of each department, a picture first, then what can be bought, then what is newest.
create index listings_department on listings
    ((category_path[1]), (picture_id is null), in_stock desc, published_at desc, product_id);
-- What stands beside a product: the newest of its category and of each beside it.
create index listings_own_category on listings (category_id, published_at desc, product_id);
