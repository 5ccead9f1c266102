create function search.refill(p_index text, p_physical text) returns void
language sql
begin atomic
  update search.target as t
  set fill_after = '', filled_at = null
  where t.index = p_index and t.physical = p_physical;
end;

comment on function search.refill(text, text) is
'Makes a physical index want every document: called before it is created, so that a crash between cannot
leave it empty';
