-- Which events fill the log?
-- Grain: event source, event name
select
    event_source,
    event_name,
    count(*) as events,
    count(*) filter (where outcome = 'denied') as denied,
    count(distinct principal) as principals
from events
where date between $from_day and $to_day
group by event_source, event_name
order by events desc, event_source, event_name
