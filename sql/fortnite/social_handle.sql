create function fortnite.social_handle(p_network text, p_said text) returns text
language plpgsql
immutable
parallel safe
as $$
declare
  v_hosts text := case p_network
    when 'discord' then 'discord\.gg|discord(app)?\.com(/invite)?'
    when 'instagram' then 'instagram\.com|instagr\.am'
    when 'tiktok' then 'tiktok\.com'
    when 'twitch' then 'twitch\.tv'
    when 'twitter' then 'twitter\.com|x\.com'
    when 'youtube' then 'youtube\.com|youtu\.be'
  end;
  -- no handle has signs without a width
  v_text text := regexp_replace(p_said, '[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]', '', 'g');
begin
  v_text := regexp_replace(replace(v_text, '%40', '@'), '^\s+|\s+$', '', 'g');
  v_text := regexp_replace(v_text, '^(https?://)?((www|m|mobile)\.)?(' || v_hosts || ')(/+|(?=\?)|$)', '', 'i');
  -- what is left of a query or a fragment; an old Discord name ends with # and four digits
  v_text := regexp_replace(v_text, case p_network when 'discord' then '\?.*$|#(?!\d{4}$).*$' else '[?#].*$' end, '');
  if v_text ~* '^https?://' then -- it leads somewhere else
    return nullif(regexp_replace(v_text, '^https?://(www\.)?|/+$', '', 'gi'), '');
  end if;
  if p_network = 'youtube' then
    v_text := regexp_replace(v_text, '^(c|user)/', '', 'i');
  end if;
  v_text := regexp_replace(v_text, '^@+', '');
  return nullif(regexp_replace(v_text, '^(channel/[^/]+|[^/]*)/?.*$', '\1'), '');
end
$$;

comment on function fortnite.social_handle(text, text) is
'The handle in what a creator typed or pasted as theirs on a network (discord, instagram, tiktok, twitch, twitter, '
'youtube): without address, @, query and what follows it. What leads to another site is kept as that address. Null '
'where nothing is left';
