create type fortnite.link_matchmaking as (
  "minPlayers" integer,
  "maxPlayers" integer,
  "maxTeamSize" integer,
  "maxTeamCount" integer,
  "maxSocialPartySize" integer,
  "allowJoinInProgress" boolean,
  "allowSquadFillOption" boolean,
  "useSkillBasedMatchmaking" boolean,
  "islandQueuePrivacy" text
);

comment on type fortnite.link_matchmaking is 'matchmakingV2 of a link';
