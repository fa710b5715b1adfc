-- How much of each account's log of the window could not be read, for example which object and why?
-- Grain: account
select
    account,
    count(*) as pieces,
    count(distinct object) as objects,
    min(object) as example,
    arg_min(reason, (object, record)) as reason
from skipped
where date between $from_day and $to_day
group by account
order by account
