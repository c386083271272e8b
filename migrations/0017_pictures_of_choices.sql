-- What a picture shows of all that can be chosen: one value of one option ("Forest"), or, where it is null, nothing in
-- particular. A value and not a variant, so that one picture of the green mug serves every size of it.
alter table pictures add column shows text constraint pictures_shows_length check (char_length(shows) between 1 and 60);

-- The picture of a product with these values chosen: the first that shows one of them, else the first that shows nothing in
-- particular, else the first.
create function picture_of(product uuid, chosen text[]) returns uuid language sql stable as $$
    select id from pictures where product_id = product
    order by coalesce(shows = any(chosen), false) desc, shows is not null, position, id limit 1
$$;
