-- requires: fortnite.link_metadata
create type fortnite.link as (
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
);

comment on type fortnite.link is 'A link of the Links service, the fields we read';
