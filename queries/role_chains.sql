-- Which roles were reached through other roles, by two or three steps, and who stood at the beginning?
-- Grain: chain
with steps as (
    select
        principal as caller,
        principal_kind as kind,
        resource as role,
        cast(sum(calls) as bigint) as calls,
        max(last_used) as last_used
    from usage
    where date between $from_day and $to_day
      and event_source = 'sts.amazonaws.com'
      and action in ('sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity')
      and outcome = 'allowed'
      and principal is not null
      and resource <> principal
    group by principal, principal_kind, resource
)

select
    first.caller as beginning,
    first.kind,
    first.role as through,
    coalesce(third.caller, second.role) as then_role,
    third.role as and_then,
    coalesce(third.calls, second.calls) as calls_of_last_step,
    coalesce(third.last_used, second.last_used) as last_used
from steps as first
inner join steps as second on first.role = second.caller
left join steps as third on second.role = third.caller and third.role <> first.caller
order by beginning, through, then_role, and_then
