create function search.documents(p_index text) returns bigint
language plpgsql stable
as $$
declare
  v_documents bigint;
begin
  execute format('select count(*) from search.%I', p_index || '_document') into v_documents;
  return v_documents;
end
$$;

comment on function search.documents(text) is 'How many documents an index should have: rows of its view';
