-- Who passed which role to which service?
-- Grain: principal, role, service
select
    principal,
    resource as role,
    regexp_extract(context, '"iam:PassedToService": *"([^"]+)"', 1) as service,
    cast(coalesce(sum(calls) filter (where counts_as_use), 0) as bigint) as calls,
    cast(coalesce(sum(calls) filter (where outcome = 'denied'), 0) as bigint) as denied,
    min(first_used) as first_used,
    max(last_used) as last_used,
    min(event_name) as for_example_by
from usage
where date between $from_day and $to_day
  and action = 'iam:PassRole'
  and principal is not null
group by principal, resource, regexp_extract(context, '"iam:PassedToService": *"([^"]+)"', 1)
order by principal, role, service
