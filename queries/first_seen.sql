-- Which actions did a principal that was there before use for the first time in the last days of the window?
-- Grain: principal, action
-- $recent: how many last days of the window are "the last days"; 30 unless given
with first as (
    select
        principal,
        action,
        min(date) as first_day,
        min(first_used) as first_used,
        max(last_used) as last_used,
        cast(sum(calls) as bigint) as calls,
        count(distinct date) as days,
        arg_min(example_event, (first_used, example_event)) as example_event
    from usage
    where date between $from_day and $to_day
      and principal is not null
      and action is not null
      and counts_as_use
    group by principal, action
),

known as (
    select principal, min(first_day) as since
    from first
    group by principal
)

select
    first.principal,
    first.action,
    first.first_used,
    first.last_used,
    first.calls,
    first.days,
    known.since as principal_since,
    first.example_event
from first
inner join known on first.principal = known.principal
where date_diff('day', first.first_day, cast($to_day as date)) < coalesce(cast($recent as integer), 30)
  and date_diff('day', known.since, cast($to_day as date)) >= coalesce(cast($recent as integer), 30)
order by first.first_used desc, first.principal, first.action
