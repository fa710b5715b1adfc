-- Which calls changed what a role, user, group or policy grants, when last, and by which event?
-- Grain: account, event name, request parameters
-- $events: the names of the events to look for, separated by commas
select
    account,
    event_name,
    request_parameters,
    max(event_time) as last,
    arg_max(event_id, (event_time, event_id)) as example_event
from events
where date between $from_day and $to_day
  and event_source in ('iam.amazonaws.com', 'sso.amazonaws.com')
  and event_name in (select unnest(string_split($events, ',')))
  and error_code is null
group by account, event_name, request_parameters
order by account, event_name, request_parameters
