-- How many calls that count did each principal make, and of how many distinct (action, resource)?
-- Grain: principal
select
    principal,
    cast(sum(calls) as bigint) as calls,
    count(distinct (action, resource)) as uses
from usage
where date between $from_day and $to_day
  and principal is not null
  and action is not null
  and counts_as_use
  -- a call into another account is recorded in both: count it where its principal lives, if that account is here
  and not (
      coalesce(shared, false)
      and split_part(principal, ':', 5) <> account
      and split_part(principal, ':', 5) in (select distinct account from usage)
  )
group by principal
order by principal
