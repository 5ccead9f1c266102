create function fortnite.own_image(p_url text) returns text
language sql
immutable
parallel safe
return case when p_url !~ '/t-ui-creatorprofile-(default|banner-fallbackerror)-[^/]*$' and p_url <> '' then p_url end;

comment on function fortnite.own_image(text) is
'An avatar or banner where the creator has one of their own; null for the defaults that Epic shows in its place, of '
'which there are several and which come and go by themselves';
