-- What did this principal do, call by call?
-- Grain: event
-- $principal: its ARN
-- $outcome: only calls of one outcome, such as `denied`
select
    event_time,
    event_source,
    event_name,
    outcome,
    error_code,
    region,
    session,
    source_ip,
    user_agent,
    request_parameters,
    event_id
from events
where date between $from_day and $to_day
  and principal = $principal
  and ($outcome is null or outcome = $outcome)
order by event_time, event_id
