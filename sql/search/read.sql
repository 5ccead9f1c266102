-- requires: search.rows, search.bucket
create function search.read(p_index text, p_ids text[], p_version bigint)
returns table (ids text[], gone text[], body bytea)
language plpgsql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
set timezone = 'UTC'
as $$
begin
  execute format(
    $query$
    select
      array_agg(d.id),
      string_agg(
        convert_to(concat(
          '{"index":{"_id":', to_json(d.id), ',"version":', $2, e',"version_type":"external"}}\n',
          '{"bucket":', search.bucket(d.id), ',"digest":', d.digest, ','
        ), 'UTF8')
        -- Outside of strings, where JSON allows no raw newline, one is white space like any other.
        || substr(convert_to(replace(d.body, e'\n', ' '), 'UTF8'), 2) || '\x0a',
        ''
      )
    from (%s) as d
    $query$,
    search.rows(p_index, 'where d.id = any($1)')
  ) into ids, body using p_ids, p_version;
  ids := coalesce(ids, '{}');
  gone := '{}';
  if cardinality(ids) < cardinality(p_ids) then
    select
      array_agg(g.id),
      coalesce(body, '') || convert_to(string_agg(concat(
        '{"delete":{"_id":', to_json(g.id), ',"version":', p_version, e',"version_type":"external"}}\n'
      ), ''), 'UTF8')
    into gone, body
    from (
      select u.id from unnest(p_ids) as u (id)
      except
      select u.id from unnest(ids) as u (id)
    ) as g;
  end if;
  return next;
end
$$;

comment on function search.read(text, text[], bigint) is
'Documents of an index as its view search.<index>_document has them now, as the body of a bulk
request (UTF-8) with an external version: first those of ids, two lines each, with their bucket and digest, then a
delete for each of gone, which have left the view';
