-- Which principals called at an hour of the day (UTC) at which they hardly ever do?
-- Grain: principal, hour
-- Odd is an hour seen on one day in fifty at most, of a principal seen on twenty days at least.
with hours as (
    select
        principal,
        extract(hour from event_time) as hour,
        count(distinct date) as days,
        count(*) as events,
        max(event_time) as last_seen,
        arg_max(event_id, (event_time, event_id)) as example_event
    from events
    where date between $from_day and $to_day
      and principal is not null
      and principal_kind in ('role', 'user', 'root', 'saml', 'web_identity')
    group by principal, extract(hour from event_time)
),

active as (
    select principal, count(distinct date) as days
    from events
    where date between $from_day and $to_day
      and principal is not null
    group by principal
)

select
    hours.principal,
    hours.hour,
    hours.days,
    active.days as active_days,
    hours.events,
    hours.last_seen,
    hours.example_event
from hours
inner join active on hours.principal = active.principal
where active.days >= 20
  and hours.days * 50 <= active.days
order by hours.last_seen desc, hours.principal, hours.hour
