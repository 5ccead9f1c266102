-- requires: fortnite.read_links
create function fortnite.change_detailed(
  p_resource text,
  p_places tid[],
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns text[]
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set cpu_index_tuple_cost = 100
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set timezone = 'UTC'
as $$
declare
  v_changed text[];
begin
  with written as (
    update fortnite.island as i
    set
      detailed_at = coalesce(i.detailed_at, d.fetched_at), gone_at = null,
      kind = d.kind, title = d.title, tagline = d.tagline, description = d.description, locale = d.locale,
      creator_account_id = d.creator_account_id, creator_name = d.creator_name, creator_code = d.creator_code,
      tags = d.tags, category = d.category, category_labels = d.category_labels, genre_labels = d.genre_labels,
      created_in = d.created_in, image_url = d.image_url, image_urls = d.image_urls,
      square_image_url = d.square_image_url, lobby_image_url = d.lobby_image_url, created_at = d.created_at,
      published_at = d.published_at, updated_at = d.updated_at, activated_at = d.activated_at,
      public_at = d.public_at, version = d.version, min_players = d.min_players, max_players = d.max_players,
      max_team_size = d.max_team_size, max_team_count = d.max_team_count, max_party_size = d.max_party_size,
      join_in_progress = d.join_in_progress, squad_fill = d.squad_fill, skill_based = d.skill_based,
      queue_privacy = d.queue_privacy, xp_enabled = d.xp_enabled, xp_phase = d.xp_phase, link_state = d.link_state,
      moderation_status = d.moderation_status, discovery_intent = d.discovery_intent, active = d.active,
      disabled = d.disabled, project_id = d.project_id
    from (
      select
        r.place,
        o.island_id,
        r.fetched_at,
        o.detailed_at is not null as known,
        n.*,
        r.kind,
        r.tagline,
        r.description,
        r.locale,
        r.creator_account_id,
        r.creator_name,
        r.category_labels,
        r.genre_labels,
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
        r.project_id,
        string_to_array(concat_ws(
          ',',
          case when u.activated_at then 'activated_at' end,
          case when u.active then 'active' end,
          case when u.category then 'category' end,
          case when u.category_labels then 'category_labels' end,
          case when u.created_at then 'created_at' end,
          case when u.created_in then 'created_in' end,
          case when u.creator_account_id then 'creator_account_id' end,
          case when u.creator_code then 'creator_code' end,
          case when u.creator_name then 'creator_name' end,
          case when u.description then 'description' end,
          case when u.disabled then 'disabled' end,
          case when u.discovery_intent then 'discovery_intent' end,
          case when u.genre_labels then 'genre_labels' end,
          case when u.gone_at then 'gone_at' end,
          case when u.image_url then 'image_url' end,
          case when u.image_urls then 'image_urls' end,
          case when u.join_in_progress then 'join_in_progress' end,
          case when u.kind then 'kind' end,
          case when u.link_state then 'link_state' end,
          case when u.lobby_image_url then 'lobby_image_url' end,
          case when u.locale then 'locale' end,
          case when u.max_party_size then 'max_party_size' end,
          case when u.max_players then 'max_players' end,
          case when u.max_team_count then 'max_team_count' end,
          case when u.max_team_size then 'max_team_size' end,
          case when u.min_players then 'min_players' end,
          case when u.moderation_status then 'moderation_status' end,
          case when u.project_id then 'project_id' end,
          case when u.public_at then 'public_at' end,
          case when u.published_at then 'published_at' end,
          case when u.queue_privacy then 'queue_privacy' end,
          case when u.skill_based then 'skill_based' end,
          case when u.squad_fill then 'squad_fill' end,
          case when u.square_image_url then 'square_image_url' end,
          case when u.tagline then 'tagline' end,
          case when u.tags then 'tags' end,
          case when u.title then 'title' end,
          case when u.updated_at then 'updated_at' end,
          case when u.version then 'version' end,
          case when u.xp_enabled then 'xp_enabled' end,
          case when u.xp_phase then 'xp_phase' end
        ), ',') as fields,
        ('{' || concat_ws(
          ',',
          case when u.activated_at then '"activated_at":' || coalesce(to_json(o.activated_at)::text, 'null') end,
          case when u.active then '"active":' || coalesce(to_json(o.active)::text, 'null') end,
          case when u.category then '"category":' || coalesce(to_json(o.category)::text, 'null') end,
          case when u.category_labels then '"category_labels":' || coalesce(to_json(o.category_labels)::text, 'null') end,
          case when u.created_at then '"created_at":' || coalesce(to_json(o.created_at)::text, 'null') end,
          case when u.created_in then '"created_in":' || coalesce(to_json(o.created_in)::text, 'null') end,
          case when u.creator_account_id then '"creator_account_id":' || coalesce(to_json(o.creator_account_id)::text, 'null') end,
          case when u.creator_code then '"creator_code":' || coalesce(to_json(o.creator_code)::text, 'null') end,
          case when u.creator_name then '"creator_name":' || coalesce(to_json(o.creator_name)::text, 'null') end,
          case when u.description then '"description":' || coalesce(to_json(o.description)::text, 'null') end,
          case when u.disabled then '"disabled":' || coalesce(to_json(o.disabled)::text, 'null') end,
          case when u.discovery_intent then '"discovery_intent":' || coalesce(to_json(o.discovery_intent)::text, 'null') end,
          case when u.genre_labels then '"genre_labels":' || coalesce(to_json(o.genre_labels)::text, 'null') end,
          case when u.gone_at then '"gone_at":' || to_json(o.gone_at)::text end,
          case when u.image_url then '"image_url":' || coalesce(to_json(o.image_url)::text, 'null') end,
          case when u.image_urls then '"image_urls":' || coalesce(to_json(o.image_urls)::text, 'null') end,
          case when u.join_in_progress then '"join_in_progress":' || coalesce(to_json(o.join_in_progress)::text, 'null') end,
          case when u.kind then '"kind":' || coalesce(to_json(o.kind)::text, 'null') end,
          case when u.link_state then '"link_state":' || coalesce(to_json(o.link_state)::text, 'null') end,
          case when u.lobby_image_url then '"lobby_image_url":' || coalesce(to_json(o.lobby_image_url)::text, 'null') end,
          case when u.locale then '"locale":' || coalesce(to_json(o.locale)::text, 'null') end,
          case when u.max_party_size then '"max_party_size":' || coalesce(to_json(o.max_party_size)::text, 'null') end,
          case when u.max_players then '"max_players":' || coalesce(to_json(o.max_players)::text, 'null') end,
          case when u.max_team_count then '"max_team_count":' || coalesce(to_json(o.max_team_count)::text, 'null') end,
          case when u.max_team_size then '"max_team_size":' || coalesce(to_json(o.max_team_size)::text, 'null') end,
          case when u.min_players then '"min_players":' || coalesce(to_json(o.min_players)::text, 'null') end,
          case when u.moderation_status then '"moderation_status":' || coalesce(to_json(o.moderation_status)::text, 'null') end,
          case when u.project_id then '"project_id":' || coalesce(to_json(o.project_id)::text, 'null') end,
          case when u.public_at then '"public_at":' || coalesce(to_json(o.public_at)::text, 'null') end,
          case when u.published_at then '"published_at":' || coalesce(to_json(o.published_at)::text, 'null') end,
          case when u.queue_privacy then '"queue_privacy":' || coalesce(to_json(o.queue_privacy)::text, 'null') end,
          case when u.skill_based then '"skill_based":' || coalesce(to_json(o.skill_based)::text, 'null') end,
          case when u.squad_fill then '"squad_fill":' || coalesce(to_json(o.squad_fill)::text, 'null') end,
          case when u.square_image_url then '"square_image_url":' || coalesce(to_json(o.square_image_url)::text, 'null') end,
          case when u.tagline then '"tagline":' || coalesce(to_json(o.tagline)::text, 'null') end,
          case when u.tags then '"tags":' || coalesce(to_json(o.tags)::text, 'null') end,
          case when u.title then '"title":' || coalesce(to_json(o.title)::text, 'null') end,
          case when u.updated_at then '"updated_at":' || coalesce(to_json(o.updated_at)::text, 'null') end,
          case when u.version then '"version":' || coalesce(to_json(o.version)::text, 'null') end,
          case when u.xp_enabled then '"xp_enabled":' || coalesce(to_json(o.xp_enabled)::text, 'null') end,
          case when u.xp_phase then '"xp_phase":' || coalesce(to_json(o.xp_phase)::text, 'null') end
        ) || '}')::jsonb as old,
        ('{' || concat_ws(
          ',',
          case when u.activated_at then '"activated_at":' || coalesce(to_json(r.activated_at)::text, 'null') end,
          case when u.active then '"active":' || coalesce(to_json(r.active)::text, 'null') end,
          case when u.category then '"category":' || coalesce(to_json(n.category)::text, 'null') end,
          case when u.category_labels then '"category_labels":' || coalesce(to_json(r.category_labels)::text, 'null') end,
          case when u.created_at then '"created_at":' || coalesce(to_json(r.created_at)::text, 'null') end,
          case when u.created_in then '"created_in":' || coalesce(to_json(n.created_in)::text, 'null') end,
          case when u.creator_account_id then '"creator_account_id":' || coalesce(to_json(r.creator_account_id)::text, 'null') end,
          case when u.creator_code then '"creator_code":' || coalesce(to_json(n.creator_code)::text, 'null') end,
          case when u.creator_name then '"creator_name":' || coalesce(to_json(r.creator_name)::text, 'null') end,
          case when u.description then '"description":' || coalesce(to_json(r.description)::text, 'null') end,
          case when u.disabled then '"disabled":' || coalesce(to_json(r.disabled)::text, 'null') end,
          case when u.discovery_intent then '"discovery_intent":' || coalesce(to_json(r.discovery_intent)::text, 'null') end,
          case when u.genre_labels then '"genre_labels":' || coalesce(to_json(r.genre_labels)::text, 'null') end,
          case when u.gone_at then '"gone_at":null' end,
          case when u.image_url then '"image_url":' || coalesce(to_json(r.image_url)::text, 'null') end,
          case when u.image_urls then '"image_urls":' || coalesce(to_json(r.image_urls)::text, 'null') end,
          case when u.join_in_progress then '"join_in_progress":' || coalesce(to_json(r.join_in_progress)::text, 'null') end,
          case when u.kind then '"kind":' || coalesce(to_json(r.kind)::text, 'null') end,
          case when u.link_state then '"link_state":' || coalesce(to_json(r.link_state)::text, 'null') end,
          case when u.lobby_image_url then '"lobby_image_url":' || coalesce(to_json(r.lobby_image_url)::text, 'null') end,
          case when u.locale then '"locale":' || coalesce(to_json(r.locale)::text, 'null') end,
          case when u.max_party_size then '"max_party_size":' || coalesce(to_json(r.max_party_size)::text, 'null') end,
          case when u.max_players then '"max_players":' || coalesce(to_json(r.max_players)::text, 'null') end,
          case when u.max_team_count then '"max_team_count":' || coalesce(to_json(r.max_team_count)::text, 'null') end,
          case when u.max_team_size then '"max_team_size":' || coalesce(to_json(r.max_team_size)::text, 'null') end,
          case when u.min_players then '"min_players":' || coalesce(to_json(r.min_players)::text, 'null') end,
          case when u.moderation_status then '"moderation_status":' || coalesce(to_json(r.moderation_status)::text, 'null') end,
          case when u.project_id then '"project_id":' || coalesce(to_json(r.project_id)::text, 'null') end,
          case when u.public_at then '"public_at":' || coalesce(to_json(r.public_at)::text, 'null') end,
          case when u.published_at then '"published_at":' || coalesce(to_json(r.published_at)::text, 'null') end,
          case when u.queue_privacy then '"queue_privacy":' || coalesce(to_json(r.queue_privacy)::text, 'null') end,
          case when u.skill_based then '"skill_based":' || coalesce(to_json(r.skill_based)::text, 'null') end,
          case when u.squad_fill then '"squad_fill":' || coalesce(to_json(r.squad_fill)::text, 'null') end,
          case when u.square_image_url then '"square_image_url":' || coalesce(to_json(r.square_image_url)::text, 'null') end,
          case when u.tagline then '"tagline":' || coalesce(to_json(r.tagline)::text, 'null') end,
          case when u.tags then '"tags":' || coalesce(to_json(n.tags)::text, 'null') end,
          case when u.title then '"title":' || coalesce(to_json(n.title)::text, 'null') end,
          case when u.updated_at then '"updated_at":' || coalesce(to_json(r.updated_at)::text, 'null') end,
          case when u.version then '"version":' || coalesce(to_json(r.version)::text, 'null') end,
          case when u.xp_enabled then '"xp_enabled":' || coalesce(to_json(r.xp_enabled)::text, 'null') end,
          case when u.xp_phase then '"xp_phase":' || coalesce(to_json(r.xp_phase)::text, 'null') end
        ) || '}')::jsonb as new
      from (select * from fortnite.read_links(p_places, p_fetched_at, p_keys, p_bodies) offset 0) as r
      cross join lateral (select * from fortnite.island as i where i.ctid = r.place offset 0) as o
      -- What the details leave open stays as the catalogue has it.
      cross join lateral (
        select
          coalesce(r.category, o.category) as category,
          coalesce(o.created_in, r.created_in) as created_in,
          coalesce(r.creator_code, o.creator_code) as creator_code,
          coalesce(r.tags, o.tags) as tags,
          coalesce(r.title, o.title) as title
      ) as n
      -- Compared once, and not again for each of the three lists.
      cross join lateral (
        select
          r.activated_at is distinct from o.activated_at as activated_at,
          r.active is distinct from o.active as active,
          n.category is distinct from o.category as category,
          r.category_labels is distinct from o.category_labels as category_labels,
          r.created_at is distinct from o.created_at as created_at,
          n.created_in is distinct from o.created_in as created_in,
          r.creator_account_id is distinct from o.creator_account_id as creator_account_id,
          n.creator_code is distinct from o.creator_code as creator_code,
          r.creator_name is distinct from o.creator_name as creator_name,
          r.description is distinct from o.description as description,
          r.disabled is distinct from o.disabled as disabled,
          r.discovery_intent is distinct from o.discovery_intent as discovery_intent,
          r.genre_labels is distinct from o.genre_labels as genre_labels,
          o.gone_at is not null as gone_at,
          r.image_url is distinct from o.image_url as image_url,
          r.image_urls is distinct from o.image_urls as image_urls,
          r.join_in_progress is distinct from o.join_in_progress as join_in_progress,
          r.kind is distinct from o.kind as kind,
          r.link_state is distinct from o.link_state as link_state,
          r.lobby_image_url is distinct from o.lobby_image_url as lobby_image_url,
          r.locale is distinct from o.locale as locale,
          r.max_party_size is distinct from o.max_party_size as max_party_size,
          r.max_players is distinct from o.max_players as max_players,
          r.max_team_count is distinct from o.max_team_count as max_team_count,
          r.max_team_size is distinct from o.max_team_size as max_team_size,
          r.min_players is distinct from o.min_players as min_players,
          r.moderation_status is distinct from o.moderation_status as moderation_status,
          r.project_id is distinct from o.project_id as project_id,
          r.public_at is distinct from o.public_at as public_at,
          r.published_at is distinct from o.published_at as published_at,
          r.queue_privacy is distinct from o.queue_privacy as queue_privacy,
          r.skill_based is distinct from o.skill_based as skill_based,
          r.squad_fill is distinct from o.squad_fill as squad_fill,
          r.square_image_url is distinct from o.square_image_url as square_image_url,
          r.tagline is distinct from o.tagline as tagline,
          n.tags is distinct from o.tags as tags,
          n.title is distinct from o.title as title,
          r.updated_at is distinct from o.updated_at as updated_at,
          r.version is distinct from o.version as version,
          r.xp_enabled is distinct from o.xp_enabled as xp_enabled,
          r.xp_phase is distinct from o.xp_phase as xp_phase
        offset 0
      ) as u
      offset 0
    ) as d
    where i.ctid = d.place and (d.fields <> '{}' or not d.known)
    returning i.code, d.island_id, d.fetched_at, i.version, i.activated_at, d.known, d.fields, d.old, d.new
  ),

  logged as (
    insert into fortnite.island_change (island_id, changed_at, resource, version, activated_at, fields, old, new)
    select
      w.island_id,
      w.fetched_at,
      p_resource,
      w.version,
      w.activated_at,
      w.fields,
      w.old,
      w.new
    from written as w
    where w.known and w.fields <> '{}'
  )

  select array_agg(w.code) into v_changed
  from written as w;
  return v_changed;
end
$$;

comment on function fortnite.change_detailed(text, tid[], timestamptz[], text[], jsonb[]) is
'Writes details over islands that are there and locked, where they differ, and what changed into the change log; the '
'first details of an island are no change. Gives the codes of what was written';
