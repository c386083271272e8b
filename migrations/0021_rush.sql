-- What many want at once. Whoever holds a piece keeps the row of its stock locked until the order is written, so that of one
-- thing one order is made at a time. Of a thing that buyers wait for, pieces are set aside: one row each, of which every buyer
-- takes one that nobody else is taking. Pieces that stand aside are counted as held, so that the constraints of the stock's row
-- keep watching over all of them; they go back when the rush is over or somebody needs them.

alter table stock add column set_aside boolean not null default false;
create index stock_set_aside on stock (variant_id) where set_aside;

create table stock_pieces (
    variant_id uuid not null references stock on delete cascade,
    id         bigint generated always as identity,
    primary key (variant_id, id)
);

create function count_aside(v uuid) returns int language sql stable as $$
    select count(*)::int from stock_pieces where variant_id = v
$$;
-- How many pieces of a stock row stand aside: s.aside. What everybody may still buy of it: s.free.
create function aside(s stock) returns int language sql stable as $$
    select case when s.set_aside then count_aside(s.variant_id) else 0 end
$$;
create function free(s stock) returns int language sql stable as $$
    select s.on_hand - s.held + case when s.set_aside then count_aside(s.variant_id) else 0 end
$$;

-- All pieces of a thing that nobody is taking at this moment go back to its shelf.
create function put_pieces_back(v uuid) returns void language plpgsql as $$
declare back int;
begin
    perform 1 from stock where variant_id = v for update;
    with idle as (select id from stock_pieces where variant_id = v for update skip locked),
         gone as (delete from stock_pieces where variant_id = v and id in (select id from idle) returning 1)
    select count(*) into back from gone;
    update stock set held = held - back, set_aside = exists (select from stock_pieces where variant_id = v)
    where variant_id = v and (back > 0 or set_aside);
end $$;

-- Sets so many pieces of a thing aside, unless somebody is doing so or enough stand there. At least as many stay on the shelf, so
-- that a list never calls it sold out meanwhile; where there are too few for that, those that stand aside go back.
create function set_pieces_aside(v uuid, pieces int) returns void language plpgsql as $$
declare s stock;
begin
    select * into s from stock where variant_id = v;
    if (s.on_hand - s.held < 2 * pieces and not s.set_aside) or not pg_try_advisory_xact_lock(hashtextextended(v::text, 21)) then
        return;
    end if;
    select * into s from stock where variant_id = v for update;
    if s.on_hand - s.held < 2 * pieces then
        perform put_pieces_back(v);
    elsif count_aside(v) < pieces then
        insert into stock_pieces (variant_id) select v from generate_series(1, pieces);
        update stock set held = held + pieces, set_aside = true where variant_id = v;
    end if;
end $$;
