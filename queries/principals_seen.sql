-- Which principals appear in the log at all, and when last?
-- Grain: principal
select
    principal,
    min(principal_kind) as principal_kind,
    cast(sum(calls) as bigint) as events,
    cast(coalesce(sum(calls) filter (where counts_as_use), 0) as bigint) as uses,
    max(last_used) as last_seen
from usage
where date between $from_day and $to_day
  and principal is not null
  and (role is null or role = 'required' or role like 'one_of:%')
group by principal
order by principal
