create function search.title_key(p_folded text) returns text
language sql immutable parallel safe
as $$
  select case
    when octet_length(p_folded) = char_length(p_folded) then replace(p_folded, ' ', '')
    -- A title of emoji alone is known by them.
    else coalesce(
      nullif(
        regexp_replace(
          replace(p_folded, ' ', '') collate "C",
          '[\u2300-\u23FF\u2600-\u27BF\u2B00-\u2BFF\U0001F000-\U0001FBFF]+',
          '',
          'g'
        ),
        ''
      ),
      replace(p_folded, ' ', '')
    )
  end
$$;

comment on function search.title_key(text) is
'What makes two folded titles the same to a reader: their letters and digits, without spaces and emoji. The same as
title_key in etl/search/fold.py makes of a query. Null for null';
