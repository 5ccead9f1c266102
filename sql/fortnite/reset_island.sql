-- requires: fortnite.lock_islands
create function fortnite.reset_island(p_keys text[]) returns void
language plpgsql
as $$
begin
  perform fortnite.lock_islands(p_keys);
  delete from fortnite.island_change as c
  using fortnite.island as i
  where i.code = any(p_keys) and c.island_id = i.island_id;
  update fortnite.island as i
  set
    listed_at = null,
    detailed_at = null,
    gone_at = null,
    kind = null,
    title = null,
    tagline = null,
    description = null,
    locale = null,
    creator_account_id = null,
    creator_name = null,
    creator_code = null,
    tags = null,
    category = null,
    category_labels = null,
    genre_labels = null,
    created_in = null,
    display_name = null,
    image_url = null,
    image_urls = null,
    square_image_url = null,
    lobby_image_url = null,
    created_at = null,
    published_at = null,
    updated_at = null,
    activated_at = null,
    public_at = null,
    version = null,
    min_players = null,
    max_players = null,
    max_team_size = null,
    max_team_count = null,
    max_party_size = null,
    join_in_progress = null,
    squad_fill = null,
    skill_based = null,
    queue_privacy = null,
    xp_enabled = null,
    xp_phase = null,
    link_state = null,
    moderation_status = null,
    discovery_intent = null,
    active = null,
    disabled = null,
    project_id = null
  where i.code = any(p_keys);
end
$$;

comment on function fortnite.reset_island(text[]) is
'Takes from islands all that documents say, and their change log, for a replay to put back. What only samples tell '
'stays: the key, where and when they were met';
