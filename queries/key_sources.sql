-- From which networks, and with which clients, was each long-term access key used?
-- Grain: access key, network, user agent
with calls as (
    select
        access_key_id,
        user_agent,
        event_time,
        case
            -- /24 of IPv4, /48 of IPv6; a service's name as it is
            when regexp_full_match(source_ip, '\d{1,3}(\.\d{1,3}){3}')
                then regexp_extract(source_ip, '^(\d+\.\d+\.\d+)\.', 1) || '.0/24'
            when source_ip like '%:%'
                then rtrim(array_to_string(list_slice(string_split(source_ip, ':'), 1, 3), ':'), ':') || '::/48'
            else coalesce(source_ip, 'not told')
        end as network
    from events
    where date between $from_day and $to_day
      and access_key_id like 'AKIA%'
      and outcome <> 'denied'
)

select
    access_key_id,
    network,
    user_agent,
    count(*) as calls,
    min(event_time) as first_used,
    max(event_time) as last_used
from calls
group by access_key_id, network, user_agent
order by access_key_id, network, user_agent nulls first
