create function fortnite.trending_score(p_average double precision, p_base double precision) returns real
language sql immutable parallel safe
return case
  when p_average >= 10
    then ((p_average - p_base) / sqrt(p_base + 50 + (p_base / 5) ^ 2))::real
end;

comment on function fortnite.trending_score(double precision, double precision) is
'How far the average of a day (a) lies above that of the 7 days before (b), in usual swings: '
'(a - b) / sqrt(b + 50 + (b / 5)^2). The swing of a large island is a fifth of its players, that of a small one what '
'chance alone does, and never under 7 players. Null under 10 players on average: so small an island never trends.';
