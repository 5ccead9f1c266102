-- requires: search.documents, search.pending
create function search.promotable(p_index text)
returns table (physical text, documents bigint, pending bigint, rejected bigint)
language plpgsql
as $$
begin
  select t.physical into physical
  from search.target as t
  where
    t.index = p_index and t.state = 'building' and t.filled_at is not null and not t.catch_up
    and not exists (
      select from search.dirty as d
      where d.index = p_index and d.marked_at <= t.filled_at
    );
  if physical is null then
    return;
  end if;
  documents := search.documents(p_index);
  select count(distinct d.id) into pending from search.pending as d where d.index = p_index;
  select count(*) into rejected from search.rejected as r where r.index = p_index;
  return next;
end
$$;

comment on function search.promotable(text) is
'The physical index being built once it is full and every mark from before that was sent, with what its
count has to agree with: rows of the view, documents pending, documents refused';
