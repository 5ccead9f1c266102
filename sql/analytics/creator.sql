create view analytics.creator as
select
  c.account_id,
  coalesce(c.display_name, i.creator_name, c.account_id) as name,
  i.creator_name as account_name,
  i.creator_code as code,
  c.bio,
  c.avatar_url,
  c.banner_url,
  c.discord,
  c.instagram,
  c.tiktok,
  c.twitch,
  c.twitter,
  c.youtube,
  n.followers,
  n.followers_at,
  n.islands,
  n.played,
  n.ccu,
  n.minutes_24h,
  n.minutes_7d,
  n.minutes_30d,
  n.computed_at,
  c.source,
  c.first_seen_at,
  c.gone_at
from fortnite.creator as c
left join fortnite.creator_now as n on c.creator_id = n.creator_id
left join fortnite.island as i on c.met_island_id = i.island_id and c.account_id = i.creator_account_id;

comment on view analytics.creator is
'Creators with what their islands add up to and who follows them. Order totals nulls last: null is never added up';
comment on column analytics.creator.account_id is 'Account';
comment on column analytics.creator.name is 'Name on the player page, else that of the account';
comment on column analytics.creator.account_name is
'Name of the account, as the Links service gives it with the island the creator was met through; null: that one has '
'another owner by now';
comment on column analytics.creator.code is 'Support-a-creator code, from the same island';
comment on column analytics.creator.bio is 'What the creator says of themselves';
comment on column analytics.creator.avatar_url is 'Avatar of their own; null: none, Epic shows a default';
comment on column analytics.creator.banner_url is 'Banner of their own; null: none, Epic shows a default';
comment on column analytics.creator.discord is 'Handle or invite on Discord';
comment on column analytics.creator.instagram is 'Handle on Instagram';
comment on column analytics.creator.tiktok is 'Handle on TikTok';
comment on column analytics.creator.twitch is 'Handle on Twitch';
comment on column analytics.creator.twitter is 'Handle on Twitter (X)';
comment on column analytics.creator.youtube is 'Handle on YouTube; channel/ID where it is no handle';
comment on column analytics.creator.followers is 'Followers as last read; null: never';
comment on column analytics.creator.followers_at is
'Reading that brought this number, or the first one of its day that brought it again';
comment on column analytics.creator.islands is 'Islands that are not gone';
comment on column analytics.creator.played is 'Of these with players in their latest sample';
comment on column analytics.creator.ccu is 'Players in the latest samples of all islands';
comment on column analytics.creator.minutes_24h is 'Minutes played on all islands in the last 24 hours';
comment on column analytics.creator.minutes_7d is 'Minutes played on all islands in the last 7 days';
comment on column analytics.creator.minutes_30d is 'Minutes played on all islands in the last 30 days';
comment on column analytics.creator.computed_at is 'When these totals became what they are';
comment on column analytics.creator.source is 'Where the island the creator was met through was first met';
comment on column analytics.creator.first_seen_at is 'When we first met the creator';
comment on column analytics.creator.gone_at is 'Since when upstream does not know the creator; null: it does';
