-- From which networks, and with which clients, was each long-term access key used?
-- Grain: access key, network, user agent
with calls as (
    select
        access_key_id,
        user_agent,
        event_time,
        case
            -- /24 of IPv4, /48 of IPv6; a service's name as it is
            when regexp_matches(source_ip, '^[0-9]{1,3}([.][0-9]{1,3}){3}$')
                then regexp_extract(source_ip, '^([0-9]+[.][0-9]+[.][0-9]+)[.]', 1) || '.0/24'
            when source_ip like '%:%'
                then rtrim(regexp_extract(source_ip, '^([^:]*(:[^:]*){0,2})', 1), ':') || '::/48'
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
