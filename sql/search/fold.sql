-- requires: search.fold_unicode
create function search.fold(p_text text) returns text
language sql immutable parallel safe
as $$
  select case
    -- Most have words and single spaces alone: looked at once, and nothing is replaced.
    when p_text collate "C" ~ '^[a-zA-Z0-9]+(?: [a-zA-Z0-9]+)*$' then lower(p_text collate "C")
    -- As many bytes as characters: ASCII, which has nothing to fold but case and punctuation.
    when octet_length(p_text) = char_length(p_text) then btrim(
      regexp_replace(replace(lower(p_text collate "C"), '''', ''), '[^a-z0-9]+', ' ', 'g')
    )
    else search.fold_unicode(p_text)
  end
$$;

comment on function search.fold(text) is
'Text as it is searched, words with one space between them: the same in every database whatever its locale,
and the same as etl/search/fold.py makes of a query. Null for null';
