create function search.draw() returns bigint
language plpgsql
as $$
declare
  v_version bigint := nextval('search.version');
begin
  update search.epoch as e set version = greatest(e.version, v_version);
  return v_version;
end
$$;

comment on function search.draw() is
'A version above all drawn before, for documents that are read after it; remembered in search.epoch before anybody has '
'it';
