-- Which granted actions did their principal never use, as the last run judged, and how do we know?
-- Grain: principal, action
-- $principal: one principal's ARN; all of them unless given
-- An action such as `s3:*` stands for as many as `actions` says.
select principal, action, actions, reason, from_day, to_day
from permissions
where class = 'unused'
  and ($principal is null or principal = $principal)
order by principal, action, reason
