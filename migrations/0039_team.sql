-- Who works at a shop, who was asked to, and who of them did what.

create table vendor_members (
    -- A person is in one shop at a time: the desk has no choice of shops.
    user_id    uuid constraint vendor_members_one_shop primary key references users on delete cascade,
    vendor_id  uuid not null references vendors on delete cascade,
    -- Each may do what the one before it may: fulfiller, manager, owner.
    role       text not null constraint vendor_members_role check (role in ('owner', 'manager', 'fulfiller')),
    since      timestamptz not null default now(),
    -- null: who opened the shop
    invited_by uuid references users on delete set null
);
create index vendor_members_vendor on vendor_members (vendor_id, since);

insert into vendor_members (user_id, vendor_id, role, since) select owner_id, id, 'owner', applied_at from vendors;

-- vendors.owner_id is from now on whom letters about the shop go to: always one of its owners. Who applies is the first.
create function vendor_gets_its_owner() returns trigger language plpgsql as $$
begin
    insert into vendor_members (user_id, vendor_id, role, since) values (new.owner_id, new.id, 'owner', new.applied_at);
    return null;
end $$;
create trigger gets_its_owner after insert on vendors for each row execute function vendor_gets_its_owner();

-- The last owner stays. The shop's row is locked first, so that two owners who take the role from each other at once do it one after
-- the other, and the second one is refused.
create function vendor_keeps_an_owner() returns trigger language plpgsql as $$
declare
    contact uuid;
    other uuid;
begin
    select owner_id into contact from vendors where id = old.vendor_id for no key update;
    if not found then
        return null; -- the shop goes, and its team with it
    end if;
    select user_id into other from vendor_members where vendor_id = old.vendor_id and role = 'owner' order by since, user_id limit 1;
    if other is null then
        raise exception 'a shop keeps an owner' using errcode = 'check_violation', constraint = 'vendor_keeps_an_owner';
    end if;
    if not exists (select 1 from vendor_members where user_id = contact and vendor_id = old.vendor_id and role = 'owner') then
        update vendors set owner_id = other where id = old.vendor_id;
    end if;
    return null;
end $$;
create trigger keeps_an_owner_update after update on vendor_members
    for each row when (old.role = 'owner') execute function vendor_keeps_an_owner();
create trigger keeps_an_owner_delete after delete on vendor_members
    for each row when (old.role = 'owner') execute function vendor_keeps_an_owner();

-- Open dashboards of a person whose place in the team changed are told, and end.
alter table live_events drop constraint live_events_kind_check;
alter table live_events add constraint live_events_kind_check
    check (kind in ('order', 'change', 'return', 'dispute', 'stock', 'payout', 'team'));
create function member_tells() returns trigger language plpgsql as $$
begin
    insert into live_events (vendor_id, kind, subject_id) select id, 'team', old.user_id from vendors where id = old.vendor_id;
    return null;
end $$;
create trigger tells after update or delete on vendor_members for each row execute function member_tells();

-- An invitation goes by mail to an address, and only who has an account with that address can take it.
create table vendor_invitations (
    id          uuid primary key,
    vendor_id   uuid not null references vendors on delete cascade,
    email       text not null constraint vendor_invitations_email_shape
                check (email = lower(email) and char_length(email) between 3 and 254 and email like '%_@_%'),
    role        text not null constraint vendor_invitations_role check (role in ('owner', 'manager', 'fulfiller')),
    -- SHA-256: the token itself stands in the mail alone, and each time it is sent it is another one
    token_hash  bytea not null constraint vendor_invitations_token_key unique check (octet_length(token_hash) = 32),
    invited_by  uuid references users on delete set null,
    created_at  timestamptz not null default now(),
    -- how often it was sent: nobody's mailbox is filled from here
    sent        int not null default 1 constraint vendor_invitations_sent check (sent between 1 and 5),
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references users on delete set null,
    revoked_at  timestamptz,
    constraint vendor_invitations_one_end check (accepted_at is null or revoked_at is null)
);
create unique index vendor_invitations_open on vendor_invitations (vendor_id, email) where accepted_at is null and revoked_at is null;

-- In whose team the actor was then: the shop's people read the names of their own, also of those who have left.
alter table order_events add column actor_vendor_id uuid references vendors;
update order_events e set actor_vendor_id = v.id from vendors v where v.owner_id = e.actor_id;
