-- Which sessions of some roles used which action on which resource, how often and on which days?
-- Grain: principal, session, action, resource, role
-- $principals: the ARNs of the roles, one a line
with asked as (
    select principal, session, date, event_time, event_id, uses
    from events
    where date between $from_day and $to_day
      and principal_kind = 'role'
      and counts_as_use
      and session is not null
      and list_contains(string_split($principals, chr(10)), principal)
)

select
    principal,
    session,
    u.action as action,
    u.resource as resource,
    u.role as role,
    min(u.basis) as basis,
    count(*) as calls,
    min(event_time) as first_used,
    max(event_time) as last_used,
    list(distinct date order by date) as days,
    arg_min(event_id, (event_time, event_id)) as example_event
from asked, unnest(uses) as t(u)
group by principal, session, u.action, u.resource, u.role
order by principal, session, u.action, u.resource, u.role
