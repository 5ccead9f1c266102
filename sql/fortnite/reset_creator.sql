-- requires: fortnite.lock_creators
create function fortnite.reset_creator(p_keys text[]) returns void
language plpgsql
as $$
begin
  perform fortnite.lock_creators(p_keys);
  delete from fortnite.creator_change as c
  using fortnite.creator as o
  where o.account_id = any(p_keys) and c.creator_id = o.creator_id;
  update fortnite.creator as c
  set
    bulk_at = null,
    bulk_gone_at = null,
    page_at = null,
    page_gone_at = null,
    display_name = null,
    bio = null,
    avatar_url = null,
    banner_url = null,
    surface_name = null,
    discord = null,
    instagram = null,
    tiktok = null,
    twitch = null,
    twitter = null,
    youtube = null
  where c.account_id = any(p_keys);
end
$$;

comment on function fortnite.reset_creator(text[]) is
'Takes from creators all that documents say, and their change log, for a replay to put back. What was said once stays: '
'where and when they were met, their followers, the totals of days that are over';
