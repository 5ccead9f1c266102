create function fortnite.enough_coverage(p_coverage real) returns boolean
language sql immutable parallel safe
return p_coverage >= 0.1;

comment on function fortnite.enough_coverage(real) is
'Whether an average over samples of so large a share of its steps may be ranked against others: a tenth. Below it, '
'one lucky sample would stand for a week.';
