create function fortnite.average_moved(p_marked real, p_average real) returns boolean
language sql immutable parallel safe
return
  abs(p_average - p_marked) >= greatest(1, p_marked / 10)
  or (p_average > 0) is distinct from (p_marked > 0);

comment on function fortnite.average_moved(real, real) is
'Whether an average moved enough for its document to be sent again: by 1 player and a tenth, or to or from '
'zero or null.';
