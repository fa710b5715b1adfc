-- How old is each access key, when was it last used, and from which networks?
-- Grain: access key
-- A network is the /24 of an IPv4 address; other addresses, and AWS services, stand as they are. Ages are in days at the
-- end of the window. A key that IAM lists and the log never shows has no networks; one that IAM does not list, no age.
with used as (
    select
        access_key_id,
        regexp_replace(source_ip, '^([0-9]+[.][0-9]+[.][0-9]+)[.][0-9]+$', '\1.0/24') as network,
        min(principal) as principal,
        count(*) as calls,
        min(event_time) as first_used,
        max(event_time) as last_used
    from events
    where date between $from_day and $to_day
      and principal_kind in ('user', 'root')
      and access_key_id like 'AKIA%'
    group by access_key_id, regexp_replace(source_ip, '^([0-9]+[.][0-9]+[.][0-9]+)[.][0-9]+$', '\1.0/24')
),

calls as (
    select
        access_key_id,
        min(principal) as principal,
        cast(sum(calls) as bigint) as calls,
        min(first_used) as first_used,
        max(last_used) as last_used,
        count(network) as networks,
        string_agg(network, ', ' order by network) as from_networks
    from used
    group by access_key_id
),

listed as (
    select id, principal, active, created, last_used
    from credentials
    where kind = 'access_key'
      and id is not null
)

select
    coalesce(listed.id, calls.access_key_id) as access_key_id,
    coalesce(listed.principal, calls.principal) as principal,
    listed.active,
    date_diff('day', cast(listed.created as date), cast($to_day as date)) as age,
    calls.calls,
    calls.first_used,
    calls.last_used,
    listed.last_used as last_used_says_iam,
    date_diff(
        'day', cast(coalesce(calls.last_used, listed.last_used) as date), cast($to_day as date)
    ) as days_since_use,
    calls.networks,
    calls.from_networks
from listed
full outer join calls on listed.id = calls.access_key_id
order by days_since_use desc nulls first, access_key_id
