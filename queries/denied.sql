-- Which calls were denied, to whom, how often, and in AWS's own words why?
-- Grain: principal, action, resource, reason
select
    principal,
    u.action,
    u.resource,
    error_code,
    error_message as reason,
    count(*) as calls,
    max(event_time) as last_denied,
    arg_max(event_id, (event_time, event_id)) as example_event
from events, unnest(uses) as t(u)
where date between $from_day and $to_day
  and outcome = 'denied'
  and principal is not null
group by all
order by calls desc, principal, u.action, u.resource, reason
