-- requires: fortnite.read_links
create function fortnite.add_detailed(
  p_places tid[],
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set timezone = 'UTC'
as $$
declare
  v_added integer;
begin
  insert into fortnite.island (
    code,
    source,
    first_seen_at,
    detailed_at,
    kind,
    title,
    tagline,
    description,
    locale,
    creator_account_id,
    creator_name,
    creator_code,
    tags,
    category,
    category_labels,
    genre_labels,
    created_in,
    image_url,
    image_urls,
    square_image_url,
    lobby_image_url,
    created_at,
    published_at,
    updated_at,
    activated_at,
    public_at,
    version,
    min_players,
    max_players,
    max_team_size,
    max_team_count,
    max_party_size,
    join_in_progress,
    squad_fill,
    skill_based,
    queue_privacy,
    xp_enabled,
    xp_phase,
    link_state,
    moderation_status,
    discovery_intent,
    active,
    disabled,
    project_id
  )
  select
    r.code,
    'details',
    r.fetched_at,
    r.fetched_at,
    r.kind,
    r.title,
    r.tagline,
    r.description,
    r.locale,
    r.creator_account_id,
    r.creator_name,
    r.creator_code,
    r.tags,
    r.category,
    r.category_labels,
    r.genre_labels,
    r.created_in,
    r.image_url,
    r.image_urls,
    r.square_image_url,
    r.lobby_image_url,
    r.created_at,
    r.published_at,
    r.updated_at,
    r.activated_at,
    r.public_at,
    r.version,
    r.min_players,
    r.max_players,
    r.max_team_size,
    r.max_team_count,
    r.max_party_size,
    r.join_in_progress,
    r.squad_fill,
    r.skill_based,
    r.queue_privacy,
    r.xp_enabled,
    r.xp_phase,
    r.link_state,
    r.moderation_status,
    r.discovery_intent,
    r.active,
    r.disabled,
    r.project_id
  from fortnite.read_links(p_places, p_fetched_at, p_keys, p_bodies) as r
  where r.place is null;
  get diagnostics v_added = row_count;
  return v_added;
exception when unique_violation then
  -- Somebody added one of them meanwhile: whoever called starts again and finds it.
  raise serialization_failure using message = 'an island was added twice at once';
end
$$;

comment on function fortnite.add_detailed(tid[], timestamptz[], text[], jsonb[]) is
'Adds the islands of these bodies that are not there yet, with their details. Gives how many';
