-- Which calls crossed from one account into another: whose principal, into which account, on what?
-- Grain: principal, account, action, resource
-- $home: the account that callers are of; all unless given
select
    split_part(principal, ':', 5) as from_account,
    principal,
    account as into_account,
    action,
    resource,
    cast(coalesce(sum(calls) filter (where outcome = 'allowed'), 0) as bigint) as allowed,
    cast(coalesce(sum(calls) filter (where outcome = 'denied'), 0) as bigint) as denied,
    max(last_used) as last_used
from usage
where date between $from_day and $to_day
  and principal like 'arn:%'
  and split_part(principal, ':', 5) <> ''
  and split_part(principal, ':', 5) <> account
  and action is not null
  and ($home is null or split_part(principal, ':', 5) = $home)
group by principal, account, action, resource
order by from_account, principal, into_account, action, resource
