-- Which roles does more than one function, rule, task or queue run as?
-- Grain: role, function
with shared as (
    select role
    from functions
    group by role
    having count(*) > 1
)

select functions.role, functions.kind, functions.name, functions.account, functions.region, functions.function
from functions
inner join shared on functions.role = shared.role
order by functions.role, functions.kind, functions.name, functions.function
