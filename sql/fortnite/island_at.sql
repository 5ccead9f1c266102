create function fortnite.island_at(p_at timestamptz)
returns table (
  island_id integer,
  code text,
  creator text,
  categories text[],
  tags text[],
  born_at timestamptz
)
language sql stable
as $$
with since as (
  select
    c.island_id,
    -- The earliest change comes last and wins.
    jsonb_object_agg(o.key, o.value order by c.changed_at desc, c.change_id desc) as was
  from fortnite.island_change as c
  cross join lateral jsonb_each(c.old) as o
  where
    c.changed_at >= p_at
    and c.fields && array['category', 'category_labels', 'creator_account_id', 'creator_code', 'tags']
    and o.key in ('category', 'category_labels', 'creator_account_id', 'creator_code', 'tags')
  group by c.island_id
)

select
  i.island_id,
  i.code,
  case when s.was ? 'creator_account_id' or s.was ? 'creator_code'
    then coalesce(
      case when s.was ? 'creator_account_id' then s.was ->> 'creator_account_id' else i.creator_account_id end,
      case when s.was ? 'creator_code' then s.was ->> 'creator_code' else i.creator_code end
    )
    else coalesce(i.creator_account_id, i.creator_code) end,
  array_append(
    case when s.was ? 'category_labels'
      then array(select jsonb_array_elements_text(nullif(s.was -> 'category_labels', 'null')))
      else i.category_labels end,
    case when s.was ? 'category' then s.was ->> 'category' else i.category end
  ),
  case when s.was ? 'tags'
    then array(select jsonb_array_elements_text(nullif(s.was -> 'tags', 'null')))
    else i.tags end,
  coalesce(i.published_at, i.public_at)
from fortnite.island as i
left join since as s on i.island_id = s.island_id
$$;

comment on function fortnite.island_at(timestamptz) is
'What islands were before an instant, as far as lists and trends ask: their creator (the account, else the code), '
'categories (brand and labels, nulls among them), tags and when they were first published. What changed since is '
'undone; what was not known then is as it was told first';
