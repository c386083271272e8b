-- When the sweeper last took a row. It is a claim that outlives the statement: between taking an order and closing it
-- Stripe is asked, and no lock is held meanwhile. Also fair: the row that was asked longest ago comes first.

alter table orders add swept_at timestamptz;
alter table payments add asked_at timestamptz;
