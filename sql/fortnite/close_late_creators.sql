-- requires: fortnite.close_creators
create function fortnite.close_late_creators() returns integer
language plpgsql
as $$
declare
  v_day date;
begin
  delete from fortnite.creator_late as l
  where l.day = (
    select min(e.day)
    from fortnite.creator_late as e
    inner join engine.watermark as w on e.day <= (w.value ->> 'day')::date
    where w.name = 'fortnite.creator_daily'
  )
  returning l.day into v_day;
  return case when v_day is not null then fortnite.close_creators(v_day) end;
end
$$;

comment on function fortnite.close_late_creators() is
'Adds up again, by creator, the earliest day whose samples changed after it was added up; gives how many rows that '
'wrote, null when there is no such day. In one transaction';
