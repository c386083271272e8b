-- A paper is issued with its number and its facts; its page is drawn when somebody first asks for it, and kept from then on.
-- Drawing every invoice with the payment cost more than all else that a sale does, and most are never looked at.
alter table documents
    alter column pdf drop not null,
    alter column sha256 drop not null,
    add constraint documents_drawn check ((pdf is null) = (sha256 is null));

create function drawn_once() returns trigger language plpgsql as $$
begin
    if old.pdf is not null or new.pdf is null or to_jsonb(new) - '{pdf,sha256}'::text[] is distinct from to_jsonb(old) - '{pdf,sha256}'::text[] then
        raise exception 'documents is only added to' using errcode = 'restrict_violation', constraint = 'only_added_to';
    end if;
    return new;
end $$;
drop trigger only_added_to on documents;
create trigger only_added_to before delete or truncate on documents for each statement execute function only_added_to();
create trigger drawn_once before update on documents for each row execute function drawn_once();
grant update (pdf, sha256) on documents to current_user;
