-- Were logs altered, deleted or added behind CloudTrail's back, and what could not be validated, as of the last --validate?
-- Grain: source × result × kind
select
    source,
    result,
    kind,
    count(*) as things,
    min(object) as example,
    arg_min(why, coalesce(object, '')) as why
from integrity
group by source, result, kind
order by source, result, kind
