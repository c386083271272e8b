-- The unpaid orders of one cart are asked for with every look at it, and looked up when an old cart goes.
create index orders_cart on orders (cart_id) where cart_id is not null;
