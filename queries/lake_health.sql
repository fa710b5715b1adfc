-- Is the lake whole: per account, how many days and events, how many days missing, how much unread?
-- Grain: account
with held as (
    select
        account,
        min(date) filter (where events > 0) as first_day,
        max(date) filter (where events > 0) as last_day,
        count(*) filter (where events > 0) as days,
        cast(sum(records) as bigint) as records,
        cast(sum(events) as bigint) as events,
        cast(sum(duplicates) as bigint) as duplicates,
        cast(sum(conflicts) as bigint) as conflicts,
        cast(sum(sources) as bigint) as objects,
        min(catalog) as catalog,
        count(distinct catalog) as catalogs
    from units
    group by account
),

unread as (
    select account, count(*) as skipped
    from skipped
    group by account
)

select
    held.account,
    held.first_day,
    held.last_day,
    held.days,
    date_diff('day', held.first_day, held.last_day) + 1 - held.days as missing_days,
    held.records,
    held.events,
    held.duplicates,
    held.conflicts,
    coalesce(unread.skipped, 0) as skipped,
    held.objects,
    held.catalog,
    held.catalogs
from held
left join unread on held.account = unread.account
order by held.account
