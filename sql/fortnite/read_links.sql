-- requires: fortnite.link
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
  l.place,
  l.code,
  l.fetched_at,
  (l.link)."linkType",
  (l.metadata).title,
  (l.metadata).tagline,
  (l.metadata).introduction,
  (l.metadata).locale,
  (l.link)."accountId",
  (l.link)."creatorName",
  (l.metadata)."supportCode",
  (l.link)."descriptionTags",
  (l.link)."linkCategory",
  (l.metadata).category_labels,
  (l.metadata).genre_labels,
  case (l.link)."linkType" when 'valkyrie:application' then 'UEFN' when 'Creative:Island' then 'FNC' end,
  (l.metadata).image_url,
  (l.metadata).image_urls,
  ((l.metadata).square_image_urls).url,
  ((l.metadata).lobby_background_image_urls).url,
  (l.link).created,
  (l.link).published,
  (l.link).updated,
  (l.link)."lastActivatedDate",
  (l.metadata).activated_public_date,
  (l.link).version,
  (l.matchmaking)."minPlayers",
  (l.matchmaking)."maxPlayers",
  (l.matchmaking)."maxTeamSize",
  (l.matchmaking)."maxTeamCount",
  (l.matchmaking)."maxSocialPartySize",
  (l.matchmaking)."allowJoinInProgress",
  (l.matchmaking)."allowSquadFillOption",
  (l.matchmaking)."useSkillBasedMatchmaking",
  (l.matchmaking)."islandQueuePrivacy",
  ((l.metadata)."dynamicXp")."calibrationPhase" = 'LiveXp',
  ((l.metadata)."dynamicXp")."calibrationPhase",
  (l.link)."linkState",
  (l.link)."moderationStatus",
  (l.link)."discoveryIntent",
  (l.link).active,
  (l.link).disabled,
  (l.metadata)."projectId"
from (
  select
    k.place,
    k.code,
    k.fetched_at,
    k.link,
    (k.link).metadata,
    ((k.link).metadata)."matchmakingV2" as matchmaking
  from (
    select
      b.place,
      b.code,
      b.fetched_at,
      jsonb_populate_record(null::fortnite.link, b.body) as link
    from (
      -- In a select list, not in from: that would store every body once more.
      select
        unnest(p_places) as place,
        unnest(p_keys) as code,
        unnest(p_fetched_at) as fetched_at,
        unnest(p_bodies) as body
    ) as b
    where b.body <> 'null'
    offset 0
  ) as k
  -- Taken apart once, not again for each column.
  offset 0
) as l;
$$;

comment on function fortnite.read_links(tid[], timestamptz[], text[], jsonb[]) is
'Columns of fortnite.island out of bodies of the Links service; a JSON null gives no row. Planned as a part of the '
'statement that calls it';
