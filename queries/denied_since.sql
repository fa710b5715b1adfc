-- Which calls were denied to some roles since a time of each, how often before that, and which event shows it?
-- Grain: principal, action, resource
-- $principals: ARNs, one a line; $since: a time for each of them, one a line
with changed as (
    select
        unnest(string_split($principals, chr(10))) as principal,
        cast(unnest(string_split($since, chr(10))) as timestamp) as since
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
