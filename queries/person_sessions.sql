-- Which roles did one person wear, under the session name that is theirs, in which accounts and from where?
-- Grain: session, principal
-- $session: one session name; else every name with an @ in it, and every name that several principals wore
with worn as (
    select
        session,
        principal,
        min(principal_kind) as principal_kind,
        count(*) as events,
        count(distinct date) as days,
        count(distinct source_ip) as addresses,
        min(event_time) as first_seen,
        max(event_time) as last_seen
    from events
    where date between $from_day and $to_day
      and session is not null
      and principal is not null
      and principal_kind in ('role', 'saml', 'web_identity', 'federated_user', 'identity_center_user')
    group by session, principal
),

names as (
    select session, count(*) as principals
    from worn
    group by session
)

select
    worn.session,
    worn.principal,
    worn.principal_kind,
    worn.events,
    worn.days,
    worn.addresses,
    worn.first_seen,
    worn.last_seen
from worn
inner join names on worn.session = names.session
where case
    when $session is null then worn.session like '%@%' or names.principals > 1
    else worn.session = $session
end
order by worn.session, worn.principal
