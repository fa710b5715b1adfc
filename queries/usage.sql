-- Who used which action on which resource, how often, first and last when, and on what basis do we say so?
-- Grain: principal, action, resource, role
-- $principal: one principal's ARN; all of them unless given
select
    principal,
    principal_kind,
    action,
    resource,
    role,
    min(basis) as basis,
    cast(coalesce(sum(calls) filter (where counts_as_use), 0) as bigint) as calls,
    cast(coalesce(sum(calls) filter (where outcome = 'denied'), 0) as bigint) as denied,
    min(first_used) filter (where counts_as_use) as first_used,
    max(last_used) filter (where counts_as_use) as last_used,
    count(distinct date) filter (where counts_as_use) as days,
    arg_min(example_event, (case when counts_as_use then 0 else 1 end, first_used, example_event)) as example_event
from (
    -- an event whose action the catalogue lacks: the name of the call, on whatever it may be about
    select
        * exclude (action, resource, role, basis),
        coalesce(action, nullif(regexp_extract(why, '^unknown: no catalogue action for ([^ ]+)$', 1), '')) as action,
        coalesce(resource, '*') as resource,
        coalesce(role, 'required') as role,
        coalesce(basis, why) as basis
    from usage
)
where date between $from_day and $to_day
  and principal is not null
  and action is not null
  -- a call into another account is recorded in both: count it where its principal lives, if that account is here
  and not (
      coalesce(shared, false)
      and split_part(principal, ':', 5) <> account
      and split_part(principal, ':', 5) in (select distinct account from usage)
  )
  and ($principal is null or principal = $principal)
group by principal, principal_kind, action, resource, role
order by principal, action, resource, role
