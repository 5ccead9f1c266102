create function search.refill(p_index text, p_physical text) returns void
language plpgsql
as $$
begin
  update search.target as t
  set
    fill_after = '',
    filled_at = null,
    filled = 0,
    catch_up = false
  where t.index = p_index and t.physical = p_physical;
  delete from search.slice as s
  where s.index = p_index and s.physical = p_physical;
end
$$;

comment on function search.refill(text, text) is
'Makes a physical index want every document: called before it is created, so that a crash between cannot
leave it empty';
