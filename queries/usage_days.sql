-- On which days did who use which action on which resource?
-- Grain: principal, action, resource
-- $principal: one principal's ARN; all of them unless given
select
    principal,
    action,
    resource,
    list(distinct date order by date) as days
from usage
where date between $from_day and $to_day
  and principal is not null
  and action is not null
  and counts_as_use
  and ($principal is null or principal = $principal)
group by principal, action, resource
order by principal, action, resource
