-- Which calls were denied to some roles since a time of each, how often before that, and which event shows it?
-- Grain: principal, action, resource
-- $changes: one change a line, `TIME=ARN`
with lines as (
    select unnest(string_split($changes, chr(10))) as line
),

changed as (
    select
        substr(line, length(split_part(line, '=', 1)) + 2) as principal,
        cast(split_part(line, '=', 1) as timestamp) as since
    from lines
)

select
    events.principal,
    u.action as action,
    u.resource as resource,
    count(*) filter (where event_time > since) as calls,
    count(*) filter (where event_time <= since) as calls_before,
    min(event_time) filter (where event_time > since) as first_denied,
    max(event_time) filter (where event_time > since) as last_denied,
    arg_max(event_id, (event_time, event_id)) as example_event
from events
join changed on events.principal = changed.principal, unnest(uses) as t(u)
where date between $from_day and $to_day
  and outcome = 'denied'
group by events.principal, u.action, u.resource
having count(*) filter (where event_time > since) > 0
order by events.principal, u.action, u.resource
