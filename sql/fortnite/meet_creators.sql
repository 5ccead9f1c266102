-- requires: engine.discover
create function fortnite.meet_creators() returns integer
language sql
begin atomic
  select engine.discover('fortnite.creator_page', array(
    select distinct i.creator_account_id
    from fortnite.island as i
    where
      i.creator_account_id is not null
      and not exists (
        select
        from engine.crawl as c
        where c.resource = 'fortnite.creator_page' and c.key = i.creator_account_id
      )
  ));
end;

comment on function fortnite.meet_creators() is
'Puts the creators of islands whose page was never asked for on the crawl schedule. Gives how many';
