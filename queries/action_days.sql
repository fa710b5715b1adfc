-- On which days of all that the lake holds did who use which action?
-- Grain: principal, action
select
    principal,
    action,
    list(distinct date order by date) as days
from usage
where date <= $to_day
  and principal is not null
  and action is not null
  and counts_as_use
group by principal, action
order by principal, action
