-- requires: fortnite.read_links
create function fortnite.change_detailed(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns text[]
language plpgsql
set plan_cache_mode = force_custom_plan
set random_page_cost = 0
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set timezone = 'UTC'
set work_mem = '64MB'
as $$
declare
  v_changed text[];
begin
  with t as (
    select
      o.ctid as place,
      o.island_id,
      r.code,
      r.fetched_at,
      o.detailed_at is not null as known,
      o.gone_at as old_gone_at,
      null::timestamptz as gone_at,
      o.kind as old_kind,
      o.title as old_title,
      o.tagline as old_tagline,
      o.description as old_description,
      o.locale as old_locale,
      o.creator_account_id as old_creator_account_id,
      o.creator_name as old_creator_name,
      o.creator_code as old_creator_code,
      o.tags as old_tags,
      o.category as old_category,
      o.category_labels as old_category_labels,
      o.genre_labels as old_genre_labels,
      o.created_in as old_created_in,
      o.image_url as old_image_url,
      o.image_urls as old_image_urls,
      o.square_image_url as old_square_image_url,
      o.lobby_image_url as old_lobby_image_url,
      o.created_at as old_created_at,
      o.published_at as old_published_at,
      o.updated_at as old_updated_at,
      o.activated_at as old_activated_at,
      o.public_at as old_public_at,
      o.version as old_version,
      o.min_players as old_min_players,
      o.max_players as old_max_players,
      o.max_team_size as old_max_team_size,
      o.max_team_count as old_max_team_count,
      o.max_party_size as old_max_party_size,
      o.join_in_progress as old_join_in_progress,
      o.squad_fill as old_squad_fill,
      o.skill_based as old_skill_based,
      o.queue_privacy as old_queue_privacy,
      o.xp_enabled as old_xp_enabled,
      o.xp_phase as old_xp_phase,
      o.link_state as old_link_state,
      o.moderation_status as old_moderation_status,
      o.discovery_intent as old_discovery_intent,
      o.active as old_active,
      o.disabled as old_disabled,
      o.project_id as old_project_id,
      r.kind,
      coalesce(r.title, o.title) as title,
      r.tagline,
      r.description,
      r.locale,
      r.creator_account_id,
      r.creator_name,
      coalesce(r.creator_code, o.creator_code) as creator_code,
      coalesce(r.tags, o.tags) as tags,
      coalesce(r.category, o.category) as category,
      r.category_labels,
      r.genre_labels,
      coalesce(o.created_in, r.created_in) as created_in,
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
    from fortnite.read_links(p_fetched_at, p_keys, p_bodies) as r
    cross join lateral (
      select i.ctid, i.* from fortnite.island as i where i.code = r.code offset 0
    ) as o
  ),

  d as materialized (
    select
      t.*,
      array_remove(array[
        case when t.activated_at is distinct from t.old_activated_at then 'activated_at' end,
        case when t.active is distinct from t.old_active then 'active' end,
        case when t.category is distinct from t.old_category then 'category' end,
        case when t.category_labels is distinct from t.old_category_labels then 'category_labels' end,
        case when t.created_at is distinct from t.old_created_at then 'created_at' end,
        case when t.created_in is distinct from t.old_created_in then 'created_in' end,
        case when t.creator_account_id is distinct from t.old_creator_account_id then 'creator_account_id' end,
        case when t.creator_code is distinct from t.old_creator_code then 'creator_code' end,
        case when t.creator_name is distinct from t.old_creator_name then 'creator_name' end,
        case when t.description is distinct from t.old_description then 'description' end,
        case when t.disabled is distinct from t.old_disabled then 'disabled' end,
        case when t.discovery_intent is distinct from t.old_discovery_intent then 'discovery_intent' end,
        case when t.genre_labels is distinct from t.old_genre_labels then 'genre_labels' end,
        case when t.gone_at is distinct from t.old_gone_at then 'gone_at' end,
        case when t.image_url is distinct from t.old_image_url then 'image_url' end,
        case when t.image_urls is distinct from t.old_image_urls then 'image_urls' end,
        case when t.join_in_progress is distinct from t.old_join_in_progress then 'join_in_progress' end,
        case when t.kind is distinct from t.old_kind then 'kind' end,
        case when t.link_state is distinct from t.old_link_state then 'link_state' end,
        case when t.lobby_image_url is distinct from t.old_lobby_image_url then 'lobby_image_url' end,
        case when t.locale is distinct from t.old_locale then 'locale' end,
        case when t.max_party_size is distinct from t.old_max_party_size then 'max_party_size' end,
        case when t.max_players is distinct from t.old_max_players then 'max_players' end,
        case when t.max_team_count is distinct from t.old_max_team_count then 'max_team_count' end,
        case when t.max_team_size is distinct from t.old_max_team_size then 'max_team_size' end,
        case when t.min_players is distinct from t.old_min_players then 'min_players' end,
        case when t.moderation_status is distinct from t.old_moderation_status then 'moderation_status' end,
        case when t.project_id is distinct from t.old_project_id then 'project_id' end,
        case when t.public_at is distinct from t.old_public_at then 'public_at' end,
        case when t.published_at is distinct from t.old_published_at then 'published_at' end,
        case when t.queue_privacy is distinct from t.old_queue_privacy then 'queue_privacy' end,
        case when t.skill_based is distinct from t.old_skill_based then 'skill_based' end,
        case when t.squad_fill is distinct from t.old_squad_fill then 'squad_fill' end,
        case when t.square_image_url is distinct from t.old_square_image_url then 'square_image_url' end,
        case when t.tagline is distinct from t.old_tagline then 'tagline' end,
        case when t.tags is distinct from t.old_tags then 'tags' end,
        case when t.title is distinct from t.old_title then 'title' end,
        case when t.updated_at is distinct from t.old_updated_at then 'updated_at' end,
        case when t.version is distinct from t.old_version then 'version' end,
        case when t.xp_enabled is distinct from t.old_xp_enabled then 'xp_enabled' end,
        case when t.xp_phase is distinct from t.old_xp_phase then 'xp_phase' end
      ], null) as fields
    from t
  ),

  written as (
    update fortnite.island as i
    set
      detailed_at = coalesce(i.detailed_at, d.fetched_at),
      gone_at = null,
      kind = d.kind,
      title = d.title,
      tagline = d.tagline,
      description = d.description,
      locale = d.locale,
      creator_account_id = d.creator_account_id,
      creator_name = d.creator_name,
      creator_code = d.creator_code,
      tags = d.tags,
      category = d.category,
      category_labels = d.category_labels,
      genre_labels = d.genre_labels,
      created_in = d.created_in,
      image_url = d.image_url,
      image_urls = d.image_urls,
      square_image_url = d.square_image_url,
      lobby_image_url = d.lobby_image_url,
      created_at = d.created_at,
      published_at = d.published_at,
      updated_at = d.updated_at,
      activated_at = d.activated_at,
      public_at = d.public_at,
      version = d.version,
      min_players = d.min_players,
      max_players = d.max_players,
      max_team_size = d.max_team_size,
      max_team_count = d.max_team_count,
      max_party_size = d.max_party_size,
      join_in_progress = d.join_in_progress,
      squad_fill = d.squad_fill,
      skill_based = d.skill_based,
      queue_privacy = d.queue_privacy,
      xp_enabled = d.xp_enabled,
      xp_phase = d.xp_phase,
      link_state = d.link_state,
      moderation_status = d.moderation_status,
      discovery_intent = d.discovery_intent,
      active = d.active,
      disabled = d.disabled,
      project_id = d.project_id
    from d
    where i.ctid = d.place and (d.fields <> '{}' or not d.known)
    returning i.code
  ),

  logged as (
    insert into fortnite.island_change (island_id, changed_at, resource, version, activated_at, fields, old, new)
    select
      d.island_id,
      d.fetched_at,
      p_resource,
      d.version,
      d.activated_at,
      d.fields,
      ('{' || concat_ws(
        ',',
        case when d.activated_at is distinct from d.old_activated_at then '"activated_at":' || coalesce(to_json(d.old_activated_at)::text, 'null') end,
        case when d.active is distinct from d.old_active then '"active":' || coalesce(to_json(d.old_active)::text, 'null') end,
        case when d.category is distinct from d.old_category then '"category":' || coalesce(to_json(d.old_category)::text, 'null') end,
        case when d.category_labels is distinct from d.old_category_labels then '"category_labels":' || coalesce(to_json(d.old_category_labels)::text, 'null') end,
        case when d.created_at is distinct from d.old_created_at then '"created_at":' || coalesce(to_json(d.old_created_at)::text, 'null') end,
        case when d.created_in is distinct from d.old_created_in then '"created_in":' || coalesce(to_json(d.old_created_in)::text, 'null') end,
        case when d.creator_account_id is distinct from d.old_creator_account_id then '"creator_account_id":' || coalesce(to_json(d.old_creator_account_id)::text, 'null') end,
        case when d.creator_code is distinct from d.old_creator_code then '"creator_code":' || coalesce(to_json(d.old_creator_code)::text, 'null') end,
        case when d.creator_name is distinct from d.old_creator_name then '"creator_name":' || coalesce(to_json(d.old_creator_name)::text, 'null') end,
        case when d.description is distinct from d.old_description then '"description":' || coalesce(to_json(d.old_description)::text, 'null') end,
        case when d.disabled is distinct from d.old_disabled then '"disabled":' || coalesce(to_json(d.old_disabled)::text, 'null') end,
        case when d.discovery_intent is distinct from d.old_discovery_intent then '"discovery_intent":' || coalesce(to_json(d.old_discovery_intent)::text, 'null') end,
        case when d.genre_labels is distinct from d.old_genre_labels then '"genre_labels":' || coalesce(to_json(d.old_genre_labels)::text, 'null') end,
        case when d.gone_at is distinct from d.old_gone_at then '"gone_at":' || coalesce(to_json(d.old_gone_at)::text, 'null') end,
        case when d.image_url is distinct from d.old_image_url then '"image_url":' || coalesce(to_json(d.old_image_url)::text, 'null') end,
        case when d.image_urls is distinct from d.old_image_urls then '"image_urls":' || coalesce(to_json(d.old_image_urls)::text, 'null') end,
        case when d.join_in_progress is distinct from d.old_join_in_progress then '"join_in_progress":' || coalesce(to_json(d.old_join_in_progress)::text, 'null') end,
        case when d.kind is distinct from d.old_kind then '"kind":' || coalesce(to_json(d.old_kind)::text, 'null') end,
        case when d.link_state is distinct from d.old_link_state then '"link_state":' || coalesce(to_json(d.old_link_state)::text, 'null') end,
        case when d.lobby_image_url is distinct from d.old_lobby_image_url then '"lobby_image_url":' || coalesce(to_json(d.old_lobby_image_url)::text, 'null') end,
        case when d.locale is distinct from d.old_locale then '"locale":' || coalesce(to_json(d.old_locale)::text, 'null') end,
        case when d.max_party_size is distinct from d.old_max_party_size then '"max_party_size":' || coalesce(to_json(d.old_max_party_size)::text, 'null') end,
        case when d.max_players is distinct from d.old_max_players then '"max_players":' || coalesce(to_json(d.old_max_players)::text, 'null') end,
        case when d.max_team_count is distinct from d.old_max_team_count then '"max_team_count":' || coalesce(to_json(d.old_max_team_count)::text, 'null') end,
        case when d.max_team_size is distinct from d.old_max_team_size then '"max_team_size":' || coalesce(to_json(d.old_max_team_size)::text, 'null') end,
        case when d.min_players is distinct from d.old_min_players then '"min_players":' || coalesce(to_json(d.old_min_players)::text, 'null') end,
        case when d.moderation_status is distinct from d.old_moderation_status then '"moderation_status":' || coalesce(to_json(d.old_moderation_status)::text, 'null') end,
        case when d.project_id is distinct from d.old_project_id then '"project_id":' || coalesce(to_json(d.old_project_id)::text, 'null') end,
        case when d.public_at is distinct from d.old_public_at then '"public_at":' || coalesce(to_json(d.old_public_at)::text, 'null') end,
        case when d.published_at is distinct from d.old_published_at then '"published_at":' || coalesce(to_json(d.old_published_at)::text, 'null') end,
        case when d.queue_privacy is distinct from d.old_queue_privacy then '"queue_privacy":' || coalesce(to_json(d.old_queue_privacy)::text, 'null') end,
        case when d.skill_based is distinct from d.old_skill_based then '"skill_based":' || coalesce(to_json(d.old_skill_based)::text, 'null') end,
        case when d.squad_fill is distinct from d.old_squad_fill then '"squad_fill":' || coalesce(to_json(d.old_squad_fill)::text, 'null') end,
        case when d.square_image_url is distinct from d.old_square_image_url then '"square_image_url":' || coalesce(to_json(d.old_square_image_url)::text, 'null') end,
        case when d.tagline is distinct from d.old_tagline then '"tagline":' || coalesce(to_json(d.old_tagline)::text, 'null') end,
        case when d.tags is distinct from d.old_tags then '"tags":' || coalesce(to_json(d.old_tags)::text, 'null') end,
        case when d.title is distinct from d.old_title then '"title":' || coalesce(to_json(d.old_title)::text, 'null') end,
        case when d.updated_at is distinct from d.old_updated_at then '"updated_at":' || coalesce(to_json(d.old_updated_at)::text, 'null') end,
        case when d.version is distinct from d.old_version then '"version":' || coalesce(to_json(d.old_version)::text, 'null') end,
        case when d.xp_enabled is distinct from d.old_xp_enabled then '"xp_enabled":' || coalesce(to_json(d.old_xp_enabled)::text, 'null') end,
        case when d.xp_phase is distinct from d.old_xp_phase then '"xp_phase":' || coalesce(to_json(d.old_xp_phase)::text, 'null') end
      ) || '}')::jsonb,
      ('{' || concat_ws(
        ',',
        case when d.activated_at is distinct from d.old_activated_at then '"activated_at":' || coalesce(to_json(d.activated_at)::text, 'null') end,
        case when d.active is distinct from d.old_active then '"active":' || coalesce(to_json(d.active)::text, 'null') end,
        case when d.category is distinct from d.old_category then '"category":' || coalesce(to_json(d.category)::text, 'null') end,
        case when d.category_labels is distinct from d.old_category_labels then '"category_labels":' || coalesce(to_json(d.category_labels)::text, 'null') end,
        case when d.created_at is distinct from d.old_created_at then '"created_at":' || coalesce(to_json(d.created_at)::text, 'null') end,
        case when d.created_in is distinct from d.old_created_in then '"created_in":' || coalesce(to_json(d.created_in)::text, 'null') end,
        case when d.creator_account_id is distinct from d.old_creator_account_id then '"creator_account_id":' || coalesce(to_json(d.creator_account_id)::text, 'null') end,
        case when d.creator_code is distinct from d.old_creator_code then '"creator_code":' || coalesce(to_json(d.creator_code)::text, 'null') end,
        case when d.creator_name is distinct from d.old_creator_name then '"creator_name":' || coalesce(to_json(d.creator_name)::text, 'null') end,
        case when d.description is distinct from d.old_description then '"description":' || coalesce(to_json(d.description)::text, 'null') end,
        case when d.disabled is distinct from d.old_disabled then '"disabled":' || coalesce(to_json(d.disabled)::text, 'null') end,
        case when d.discovery_intent is distinct from d.old_discovery_intent then '"discovery_intent":' || coalesce(to_json(d.discovery_intent)::text, 'null') end,
        case when d.genre_labels is distinct from d.old_genre_labels then '"genre_labels":' || coalesce(to_json(d.genre_labels)::text, 'null') end,
        case when d.gone_at is distinct from d.old_gone_at then '"gone_at":' || coalesce(to_json(d.gone_at)::text, 'null') end,
        case when d.image_url is distinct from d.old_image_url then '"image_url":' || coalesce(to_json(d.image_url)::text, 'null') end,
        case when d.image_urls is distinct from d.old_image_urls then '"image_urls":' || coalesce(to_json(d.image_urls)::text, 'null') end,
        case when d.join_in_progress is distinct from d.old_join_in_progress then '"join_in_progress":' || coalesce(to_json(d.join_in_progress)::text, 'null') end,
        case when d.kind is distinct from d.old_kind then '"kind":' || coalesce(to_json(d.kind)::text, 'null') end,
        case when d.link_state is distinct from d.old_link_state then '"link_state":' || coalesce(to_json(d.link_state)::text, 'null') end,
        case when d.lobby_image_url is distinct from d.old_lobby_image_url then '"lobby_image_url":' || coalesce(to_json(d.lobby_image_url)::text, 'null') end,
        case when d.locale is distinct from d.old_locale then '"locale":' || coalesce(to_json(d.locale)::text, 'null') end,
        case when d.max_party_size is distinct from d.old_max_party_size then '"max_party_size":' || coalesce(to_json(d.max_party_size)::text, 'null') end,
        case when d.max_players is distinct from d.old_max_players then '"max_players":' || coalesce(to_json(d.max_players)::text, 'null') end,
        case when d.max_team_count is distinct from d.old_max_team_count then '"max_team_count":' || coalesce(to_json(d.max_team_count)::text, 'null') end,
        case when d.max_team_size is distinct from d.old_max_team_size then '"max_team_size":' || coalesce(to_json(d.max_team_size)::text, 'null') end,
        case when d.min_players is distinct from d.old_min_players then '"min_players":' || coalesce(to_json(d.min_players)::text, 'null') end,
        case when d.moderation_status is distinct from d.old_moderation_status then '"moderation_status":' || coalesce(to_json(d.moderation_status)::text, 'null') end,
        case when d.project_id is distinct from d.old_project_id then '"project_id":' || coalesce(to_json(d.project_id)::text, 'null') end,
        case when d.public_at is distinct from d.old_public_at then '"public_at":' || coalesce(to_json(d.public_at)::text, 'null') end,
        case when d.published_at is distinct from d.old_published_at then '"published_at":' || coalesce(to_json(d.published_at)::text, 'null') end,
        case when d.queue_privacy is distinct from d.old_queue_privacy then '"queue_privacy":' || coalesce(to_json(d.queue_privacy)::text, 'null') end,
        case when d.skill_based is distinct from d.old_skill_based then '"skill_based":' || coalesce(to_json(d.skill_based)::text, 'null') end,
        case when d.squad_fill is distinct from d.old_squad_fill then '"squad_fill":' || coalesce(to_json(d.squad_fill)::text, 'null') end,
        case when d.square_image_url is distinct from d.old_square_image_url then '"square_image_url":' || coalesce(to_json(d.square_image_url)::text, 'null') end,
        case when d.tagline is distinct from d.old_tagline then '"tagline":' || coalesce(to_json(d.tagline)::text, 'null') end,
        case when d.tags is distinct from d.old_tags then '"tags":' || coalesce(to_json(d.tags)::text, 'null') end,
        case when d.title is distinct from d.old_title then '"title":' || coalesce(to_json(d.title)::text, 'null') end,
        case when d.updated_at is distinct from d.old_updated_at then '"updated_at":' || coalesce(to_json(d.updated_at)::text, 'null') end,
        case when d.version is distinct from d.old_version then '"version":' || coalesce(to_json(d.version)::text, 'null') end,
        case when d.xp_enabled is distinct from d.old_xp_enabled then '"xp_enabled":' || coalesce(to_json(d.xp_enabled)::text, 'null') end,
        case when d.xp_phase is distinct from d.old_xp_phase then '"xp_phase":' || coalesce(to_json(d.xp_phase)::text, 'null') end
      ) || '}')::jsonb
    from d
    where d.known and d.fields <> '{}'
    order by d.code
  )

  select array_agg(w.code)
  into v_changed
  from written as w;
  return v_changed;
end
$$;

comment on function fortnite.change_detailed(text, timestamptz[], text[], jsonb[]) is
'Writes details over islands that are there and locked, where they differ, and what changed into the change log; the '
'first details of an island are no change. Gives the codes of what was written';
