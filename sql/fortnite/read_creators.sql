-- requires: fortnite.social_handle
create function fortnite.read_creators(p_fetched_at timestamptz[], p_keys text[], p_bodies jsonb[])
returns table (
  account_id text,
  fetched_at timestamptz,
  display_name text,
  bio text,
  avatar_url text,
  banner_url text,
  surface_name text,
  discord text,
  instagram text,
  tiktok text,
  twitch text,
  twitter text,
  youtube text
)
language sql
stable
as $$
select
  k.account_id,
  k.fetched_at,
  k.body ->> 'displayName',
  k.body ->> 'bio',
  k.body -> 'images' ->> 'avatar',
  k.body -> 'images' ->> 'banner',
  k.body ->> 'surfaceName',
  fortnite.social_handle('discord', k.body -> 'social' ->> 'discord'),
  fortnite.social_handle('instagram', k.body -> 'social' ->> 'instagram'),
  fortnite.social_handle('tiktok', k.body -> 'social' ->> 'tikTok'),
  fortnite.social_handle('twitch', k.body -> 'social' ->> 'twitch'),
  fortnite.social_handle('twitter', k.body -> 'social' ->> 'twitter'),
  fortnite.social_handle('youtube', k.body -> 'social' ->> 'youtube')
from unnest(p_keys, p_fetched_at, p_bodies) as k (account_id, fetched_at, body)
where k.body <> 'null';
$$;

comment on function fortnite.read_creators(timestamptz[], text[], jsonb[]) is
'Columns of fortnite.creator out of player pages and of entries of the bulk route, images as they were given; a JSON '
'null gives no row';
