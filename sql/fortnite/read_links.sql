-- requires: fortnite.link_metadata
create function fortnite.read_links(
  p_places tid[],
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns table (
  place tid,
  code text,
  fetched_at timestamptz,
  kind text,
  title text,
  tagline text,
  description text,
  locale text,
  creator_account_id text,
  creator_name text,
  creator_code text,
  tags text[],
  category text,
  category_labels text[],
  genre_labels text[],
  created_in text,
  image_url text,
  image_urls jsonb,
  square_image_url text,
  lobby_image_url text,
  created_at timestamptz,
  published_at timestamptz,
  updated_at timestamptz,
  activated_at timestamptz,
  public_at timestamptz,
  version integer,
  min_players integer,
  max_players integer,
  max_team_size integer,
  max_team_count integer,
  max_party_size integer,
  join_in_progress boolean,
  squad_fill boolean,
  skill_based boolean,
  queue_privacy text,
  xp_enabled boolean,
  xp_phase text,
  link_state text,
  moderation_status text,
  discovery_intent text,
  active boolean,
  disabled boolean,
  project_id text
)
language sql
stable
as $$
select
  k.place,
  k.code,
  k.fetched_at,
  l."linkType",
  (l.metadata).title,
  (l.metadata).tagline,
  (l.metadata).introduction,
  (l.metadata).locale,
  l."accountId",
  l."creatorName",
  (l.metadata)."supportCode",
  l."descriptionTags",
  l."linkCategory",
  (l.metadata).category_labels,
  (l.metadata).genre_labels,
  case l."linkType" when 'valkyrie:application' then 'UEFN' when 'Creative:Island' then 'FNC' end,
  (l.metadata).image_url,
  (l.metadata).image_urls,
  ((l.metadata).square_image_urls).url,
  ((l.metadata).lobby_background_image_urls).url,
  l.created,
  l.published,
  l.updated,
  l."lastActivatedDate",
  (l.metadata).activated_public_date,
  l.version,
  ((l.metadata)."matchmakingV2")."minPlayers",
  ((l.metadata)."matchmakingV2")."maxPlayers",
  ((l.metadata)."matchmakingV2")."maxTeamSize",
  ((l.metadata)."matchmakingV2")."maxTeamCount",
  ((l.metadata)."matchmakingV2")."maxSocialPartySize",
  ((l.metadata)."matchmakingV2")."allowJoinInProgress",
  ((l.metadata)."matchmakingV2")."allowSquadFillOption",
  ((l.metadata)."matchmakingV2")."useSkillBasedMatchmaking",
  ((l.metadata)."matchmakingV2")."islandQueuePrivacy",
  ((l.metadata)."dynamicXp")."calibrationPhase" = 'LiveXp',
  ((l.metadata)."dynamicXp")."calibrationPhase",
  l."linkState",
  l."moderationStatus",
  l."discoveryIntent",
  l.active,
  l.disabled,
  (l.metadata)."projectId"
from (
  -- In a select list, not in from: that would store every body once more.
  select
    unnest(p_places) as place,
    unnest(p_keys) as code,
    unnest(p_fetched_at) as fetched_at,
    unnest(p_bodies) as body
) as k
cross join lateral jsonb_to_record(k.body)
  as l (
    "linkType" text,
    "accountId" text,
    "creatorName" text,
    metadata fortnite.link_metadata,
    version integer,
    active boolean,
    disabled boolean,
    created timestamptz,
    published timestamptz,
    updated timestamptz,
    "lastActivatedDate" timestamptz,
    "descriptionTags" text[],
    "moderationStatus" text,
    "discoveryIntent" text,
    "linkCategory" text,
    "linkState" text
  )
where k.body <> 'null';
$$;

comment on function fortnite.read_links(tid[], timestamptz[], text[], jsonb[]) is
'Columns of fortnite.island out of bodies of the Links service; a JSON null gives no row. Planned as a part of the '
'statement that calls it';
