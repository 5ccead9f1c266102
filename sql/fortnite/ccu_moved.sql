create function fortnite.ccu_moved(p_marked integer, p_ccu integer) returns boolean
language sql immutable parallel safe
return
  abs(p_ccu - p_marked) >= greatest(5, p_marked / 10)
  or (p_ccu = 0) <> (p_marked = 0);

comment on function fortnite.ccu_moved(integer, integer) is
'Whether a count moved enough for its document to be sent again: by 5 players and a tenth, or to or from '
'zero.';
