-- Who really used this resource, with which actions, how often, first and last when?
-- Grain: resource, principal, action
-- $resource: an ARN, `*` for any text in it; every resource unless given
select
    resource,
    principal,
    action,
    cast(coalesce(sum(calls) filter (where counts_as_use), 0) as bigint) as calls,
    cast(coalesce(sum(calls) filter (where outcome = 'denied'), 0) as bigint) as denied,
    count(distinct date) filter (where counts_as_use) as days,
    min(first_used) filter (where counts_as_use) as first_used,
    max(last_used) filter (where counts_as_use) as last_used
from usage
where date between $from_day and $to_day
  and principal is not null
  and action is not null
  and ($resource is null or resource like replace($resource, '*', '%'))
group by resource, principal, action
order by resource, calls desc, principal, action
