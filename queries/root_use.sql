-- What did the root user of each account do?
-- Grain: account, event source, event name
select
    account,
    event_source,
    event_name,
    cast(sum(calls) as bigint) as calls,
    max(last_used) as last_used,
    arg_max(example_event, (last_used, example_event)) as example_event
from usage
where date between $from_day and $to_day
  and principal_kind = 'root'
  and outcome <> 'denied'
  and (role is null or role = 'required' or role like 'one_of:%')
group by account, event_source, event_name
order by account, event_source, event_name
