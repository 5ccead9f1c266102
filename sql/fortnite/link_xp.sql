create type fortnite.link_xp as (
  "calibrationPhase" text
);

comment on type fortnite.link_xp is 'dynamicXp of a link: LiveXp once playing it gives experience points';
