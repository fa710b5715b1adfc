-- On which days did the lake receive at least one management event of an account?
-- Grain: account, day
select distinct account, date as day
from usage
where date between $from_day and $to_day
  and event_category = 'Management'
order by account, day
