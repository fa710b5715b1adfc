-- Which roles are worn by several sessions with a name of their own (one Lambda function each)?
-- Grain: principal, session
select principal, session, count(*) as events, max(event_time) as last_seen
from events
where date between $from_day and $to_day
  and principal_kind = 'role'
  and session is not null
  and counts_as_use
group by principal, session
order by principal, session
