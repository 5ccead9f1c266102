-- requires: search.fold
create view search.creator_document as
select
  c.account_id as id,
  row_to_json(d) as body
from fortnite.creator as c
inner join fortnite.creator_told as n on c.creator_id = n.creator_id
cross join lateral (
  select left(coalesce(c.display_name, n.creator_code, c.account_id), 500) as name
) as t
cross join lateral (
  select
    c.account_id,
    t.name,
    n.creator_code as code,
    c.avatar_url as image_url,
    left(c.bio, 500) as bio,
    n.islands,
    n.ccu,
    n.followers,
    n.minutes_24h,
    n.minutes_7d,
    search.fold(t.name) as folded_name
) as d
where c.gone_at is null;

comment on view search.creator_document is
'Documents of index creator: creators that are not gone, from the first time their islands were added up. Numbers are '
'those of the last mark';
comment on column search.creator_document.id is 'Account of the creator';
comment on column search.creator_document.body is 'The document';
