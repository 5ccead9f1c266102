create function fortnite.ccu_steps(p_from timestamptz, p_at timestamptz) returns double precision
language sql immutable parallel safe
return greatest(1, 1 + date_part('epoch', p_at - p_from) / 600);

comment on function fortnite.ccu_steps(timestamptz, timestamptz) is
'How many ten-minute steps there are from one cycle to another, both counted.';
