-- Who took on which role, how often, and with which session policies?
-- Grain: role, caller, subject, event name
with seen as (
    select
        event_name,
        case when principal_kind = 'saml' then coalesce(cast(request_parameters as json) ->> '$.principalArn', principal) else principal end as caller,
        principal_kind as kind,
        case when principal_kind in ('account', 'saml', 'web_identity') then session end as subject,
        event_time,
        event_id,
        cast(request_parameters as json) as asked
    from events
    where date between $from_day and $to_day
      and event_source = 'sts.amazonaws.com'
      and event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
      and error_code is null
      and request_parameters is not null
      and principal is not null
    -- a call into another account is recorded in both: take the side that names the caller
    qualify row_number() over (
        partition by coalesce(shared_event_id, event_id)
        order by (case when principal_kind = 'account' then 1 else 0 end), event_id
    ) = 1
)
select
    asked ->> '$.roleArn' as role,
    caller,
    kind,
    subject,
    event_name,
    count(*) as calls,
    count(*) filter (where (asked ->> '$.policy') is not null or (asked -> '$.policyArns') is not null) as restricted,
    list(distinct asked ->> '$.policy' order by asked ->> '$.policy') filter (where (asked ->> '$.policy') is not null) as session_policies,
    list(distinct asked ->> '$.policyArns' order by asked ->> '$.policyArns') filter (where (asked -> '$.policyArns') is not null) as policy_arns,
    min(event_time) as first,
    max(event_time) as last,
    arg_min(event_id, (event_time, event_id)) as example_event
from seen
where (asked ->> '$.roleArn') is not null
group by role, caller, kind, subject, event_name
order by role, caller, kind, subject, event_name
