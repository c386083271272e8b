-- A shop on holiday: its goods are shown and cannot be bought until it is back; what was ordered before goes its way.

alter table vendors
    -- days in UTC, the last one included; both or none
    add column holiday_from date,
    add column holiday_until date,
    add column holiday_message text not null default '' constraint vendors_holiday_message check (char_length(holiday_message) <= 500),
    -- What the kept pages show. The sweeper moves it when a first day begins or a last one is over, and the trigger below says so.
    add column holiday_shown boolean not null default false,
    add constraint vendors_holiday_days check (
        (holiday_from is null) = (holiday_until is null) and (holiday_from is null or holiday_until - holiday_from between 0 and 366));

-- Whether one of these days is now. By the transaction's clock: within one it does not change.
create function on_holiday(first_day date, last_day date) returns boolean language sql stable as $$
    select coalesce((now() at time zone 'UTC')::date between first_day and last_day, false)
$$;

create trigger vendors_holiday_shelf after update of holiday_from, holiday_until, holiday_message, holiday_shown on vendors
    for each row when ((old.holiday_from, old.holiday_until, old.holiday_message, old.holiday_shown)
                       is distinct from (new.holiday_from, new.holiday_until, new.holiday_message, new.holiday_shown))
    execute function shelf_changed();
