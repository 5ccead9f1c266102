create function fortnite.groups_before(p_at timestamptz)
returns table (island_id integer, tags text[], account_id text)
language sql stable
begin atomic
  select
    c.island_id,
    (
      array_agg(array(select jsonb_array_elements_text(c.old -> 'tags'))::text order by c.changed_at, c.change_id)
      filter (where jsonb_typeof(c.old -> 'tags') = 'array')
    )[1]::text[],
    (
      array_agg(c.old ->> 'creator_account_id' order by c.changed_at, c.change_id)
      filter (where c.old ->> 'creator_account_id' is not null)
    )[1]
  from fortnite.island_change as c
  where c.changed_at >= p_at and c.fields && '{creator_account_id,tags}'
  group by c.island_id;
end;

comment on function fortnite.groups_before(timestamptz) is
'Tags and account that islands had just before an instant, of those that changed them since: what the first '
'change that knows them says was there before. Null: that did not change, it is as it is now';
