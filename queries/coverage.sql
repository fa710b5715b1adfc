-- Which kinds of event did the trails log, in which account and region, on how many days of the window?
-- Grain: account, region, event category, data type
select
    account,
    region,
    event_category as category,
    data_type,
    min(date) as first_day,
    max(date) as last_day,
    count(distinct date) as days_seen,
    cast(sum(calls) as bigint) as calls
from usage
where date between $from_day and $to_day
  and event_category in ('Management', 'Data')
group by account, region, event_category, data_type
order by account, region, category, data_type nulls first
