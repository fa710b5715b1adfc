-- The lake's views in any DuckDB from 1.5 on, trailfit installed or not:
--
--     $ cd LAKE && duckdb -init …/queries/views/lake.sql
--
-- or, from elsewhere, `set variable lake = 'LAKE';` first. Only parts that a manifest names are read, as trailfit does.

set variable lake = coalesce(getvariable('lake'), '.');

create or replace temp macro lake_files(kind, account, day, parts) as list_transform(
    parts, lambda part: getvariable('lake') || '/' || kind || '/account=' || account || '/date=' || day || '/' || part.name
);

create or replace temp view _manifests as
from read_json(
    getvariable('lake') || '/units/*/*.json', hive_partitioning = false, maximum_object_size = 1000000000,
    columns = {
        account: 'varchar', day: 'varchar', catalog: 'varchar', records: 'bigint', rows: 'bigint', duplicates: 'bigint',
        conflicts: 'bigint', sources: 'json[]', events: 'struct(name varchar)[]', usage: 'struct(name varchar)[]',
        skipped: 'struct(name varchar)[]'
    }
);

create or replace temp view units as
select
    account,
    cast(day as date) as date,
    catalog,
    records,
    rows as events,
    duplicates,
    conflicts,
    len(sources) as sources
from _manifests;

set variable event_files = (
    select flatten(list(lake_files('events', account, day, events) order by account, day)) from _manifests
);
set variable usage_files = (
    select flatten(list(lake_files('usage', account, day, usage) order by account, day)) from _manifests
);
set variable skipped_files = (
    select flatten(list(lake_files('skipped', account, day, skipped) order by account, day)) from _manifests
);
-- DuckDB opens no empty list of files: a table without a part reads one of another, and keeps no row of it.
set variable skipped_files = case
    when len(getvariable('skipped_files')) = 0 then getvariable('event_files')[1:1] else getvariable('skipped_files')
end;

create or replace temp view events as
from read_parquet(
    getvariable('event_files'), hive_partitioning = true, hive_types = {'account': varchar, 'date': date}
);

create or replace temp view usage as
from read_parquet(
    getvariable('usage_files'), hive_partitioning = true, hive_types = {'account': varchar, 'date': date}
);

create or replace temp view skipped as
select
    null::varchar as object, null::bigint as record, null::varchar as reason, null::varchar as account,
    null::date as date
where false
union all by name
select columns('^(object|record|reason|account|date)$')
from read_parquet(
    getvariable('skipped_files'), hive_partitioning = true, hive_types = {'account': varchar, 'date': date},
    filename = 'part'
)
where contains(part, '/skipped/account=');

-- IAM as the newest snapshot has it, and what the newest run of `trailfit recommend` made of it; empty before.
set variable snapshot = coalesce(
    (select max(file) from glob(getvariable('lake') || '/snapshots/*/snapshot.json') as t(file)), ''
);
set variable judged = coalesce(
    (select max(file) from glob(getvariable('lake') || '/judged/*/findings.parquet') as t(file)), ''
);
set variable validated = coalesce(
    (select max(file) from glob(getvariable('lake') || '/validated/*/integrity.parquet') as t(file)), ''
);
create or replace temp macro newest(marker, name) as coalesce(
    (select min(file) from glob(getvariable('lake') || '/*/*/' || name || '.parquet') as t(file)
     where file = regexp_replace(marker, '[^/]*$', '') || name || '.parquet'),
    getvariable('event_files')[1]
);
set variable principals_file = newest(getvariable('snapshot'), 'principals');
set variable policies_file = newest(getvariable('snapshot'), 'policies');
set variable credentials_file = newest(getvariable('snapshot'), 'credentials');
set variable functions_file = newest(getvariable('snapshot'), 'functions');
set variable permissions_file = newest(getvariable('judged'), 'permissions');
set variable findings_file = newest(getvariable('judged'), 'findings');
set variable integrity_file = newest(getvariable('validated'), 'integrity');

create or replace temp view principals as
select
    null::varchar as principal, null::varchar as account, null::varchar as kind, null::varchar as name,
    null::varchar as path, null::timestamp as created, null::timestamp as last_used,
    null::boolean as last_used_known, null::varchar as boundary, null::varchar as trust, null::varchar[] as groups,
    null::varchar as tags, null::varchar[] as instance_profiles
where false
union all by name
select columns('^(principal|account|kind|name|path|created|last_used|last_used_known|boundary|trust|groups|tags|instance_profiles)$')
from read_parquet(getvariable('principals_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/principals.parquet');

create or replace temp view policies as
select
    null::varchar as principal, null::varchar as account, null::varchar as kind, null::varchar as name,
    null::varchar as arn, null::varchar as from_group, null::varchar as document, null::timestamp as created,
    null::timestamp as updated
where false
union all by name
select columns('^(principal|account|kind|name|arn|from_group|document|created|updated)$')
from read_parquet(getvariable('policies_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/policies.parquet');

create or replace temp view credentials as
select
    null::varchar as principal, null::varchar as account, null::varchar as kind, null::varchar as id,
    null::boolean as active, null::timestamp as created, null::timestamp as last_used,
    null::varchar as last_used_service, null::varchar as last_used_region, null::boolean as mfa
where false
union all by name
select columns('^(principal|account|kind|id|active|created|last_used|last_used_service|last_used_region|mfa)$')
from read_parquet(getvariable('credentials_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/credentials.parquet');

create or replace temp view functions as
select
    null::varchar as function, null::varchar as account, null::varchar as region, null::varchar as kind,
    null::varchar as name, null::varchar as role, null::varchar[] as triggers
where false
union all by name
select columns('^(function|account|region|kind|name|role|triggers)$')
from read_parquet(getvariable('functions_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/functions.parquet');

create or replace temp view permissions as
select
    null::varchar as principal, null::varchar as account, null::varchar as action, null::varchar as class,
    null::varchar as reason, null::bigint as actions, null::bigint as calls, null::timestamp as first_used,
    null::timestamp as last_used, null::date as from_day, null::date as to_day
where false
union all by name
select columns('^(principal|account|action|class|reason|actions|calls|first_used|last_used|from_day|to_day)$')
from read_parquet(getvariable('permissions_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/permissions.parquet');

create or replace temp view findings as
select
    null::varchar as id, null::varchar as kind, null::varchar as principal, null::varchar as severity,
    null::varchar as confidence, null::varchar as resource, null::varchar as evidence, null::date as from_day,
    null::date as to_day
where false
union all by name
select columns('^(id|kind|principal|severity|confidence|resource|evidence|from_day|to_day)$')
from read_parquet(getvariable('findings_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/findings.parquet');

create or replace temp view integrity as
select
    null::varchar as source, null::varchar as result, null::varchar as kind, null::varchar as object,
    null::varchar as why
where false
union all by name
select columns('^(source|result|kind|object|why)$')
from read_parquet(getvariable('integrity_file'), hive_partitioning = false, filename = 'part')
where contains(part, '/integrity.parquet');

-- Views over these views.
create or replace temp view coverage as
select
    account,
    region,
    event_category as category,
    data_type,
    date,
    cast(sum(calls) as bigint) as calls
from usage
where event_category in ('Management', 'Data')
group by all;
