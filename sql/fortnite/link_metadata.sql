-- requires: fortnite.link_image, fortnite.link_matchmaking, fortnite.link_xp
create type fortnite.link_metadata as (
  title text,
  tagline text,
  introduction text,
  locale text,
  "supportCode" text,
  category_labels text[],
  genre_labels text[],
  image_url text,
  image_urls jsonb,
  square_image_urls fortnite.link_image,
  lobby_background_image_urls fortnite.link_image,
  activated_public_date timestamptz,
  "matchmakingV2" fortnite.link_matchmaking,
  "dynamicXp" fortnite.link_xp,
  "projectId" text
);

comment on type fortnite.link_metadata is 'metadata of a link, the fields we read';
