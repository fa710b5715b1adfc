-- When was each long-term access key last used, by whom and on what?
-- Grain: access key
select
    access_key_id,
    min(principal) as principal,
    cast(sum(calls) as bigint) as calls,
    min(first_used) as first_used,
    max(last_used) as last_used,
    arg_max(event_source, (last_used, event_source)) as last_service
from usage
where date between $from_day and $to_day
  and access_key_id is not null
group by access_key_id
order by access_key_id
