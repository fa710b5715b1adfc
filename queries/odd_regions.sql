-- Which principals called in a region in which they hardly ever do?
-- Grain: principal, region
-- Odd is a region with one call in a hundred at most, of a principal with a hundred calls at least.
with regions as (
    select
        principal,
        region,
        cast(sum(calls) as bigint) as calls,
        cast(coalesce(sum(calls) filter (where outcome = 'denied'), 0) as bigint) as denied,
        min(first_used) as first_seen,
        max(last_used) as last_seen,
        arg_max(example_event, (last_used, example_event)) as example_event
    from usage
    where date between $from_day and $to_day
      and principal is not null
      and region is not null
      and principal_kind in ('role', 'user', 'root', 'saml', 'web_identity')
    group by principal, region
),

everywhere as (
    select principal, sum(calls) as calls
    from regions
    group by principal
)

select
    regions.principal,
    regions.region,
    regions.calls,
    regions.denied,
    regions.first_seen,
    regions.last_seen,
    regions.example_event
from regions
inner join everywhere on regions.principal = everywhere.principal
where everywhere.calls >= 100
  and regions.calls * 100 <= everywhere.calls
order by regions.last_seen desc, regions.principal, regions.region
