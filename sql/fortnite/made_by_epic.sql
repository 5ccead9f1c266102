create function fortnite.made_by_epic(p_code text, p_account_id text, p_creator_code text) returns boolean
language sql immutable parallel safe
return coalesce(
  p_account_id = 'epic',
  coalesce(p_creator_code = 'epic', false) or p_code !~ '^\d{4}-\d{4}-\d{4}$'
);

comment on function fortnite.made_by_epic(text, text, text) is
'Whether an island is Epic''s own: by its account, else by its creator code, else because its code is no twelve digits';
