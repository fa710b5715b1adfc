"""Laws of the generaliser, whatever was seen: all that was seen is served, in any order, and nothing leaves its type."""

from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from trailfit.policy.generalise import Observation, generalise
from trailfit.policy.generalise_dates import mask
from trailfit.policy.generalise_tree import LEVELS
from trailfit.policy.pattern import arn, compiled, tokens

LAST = date(2026, 12, 31)
HEADS = ("arn:aws:s3:::", "arn:aws:sqs:eu-west-1:111122223333:", "arn:aws:ec2:eu-west-1:111122223333:instance/",
         "arn:aws:dynamodb:us-east-1:111122223333:table/", "arn:aws:kms:eu-west-1:111122223333:key/",
         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:", "arn:aws:logs:eu-west-1:111122223333:log-group:")  # fmt: skip
WORDS = st.sampled_from(["orders", "in", "2026", "10", "31", "2026-10-31", "part-00012", "app", "Ab12Cd", "x*y", "a?", "${k}",
                         "0a1b2c3d4e5f6a7b8", "pr-17", "log-stream", "[$LATEST]ff00", "20261031T07", "é", "1792800000", ""])  # fmt: skip
NAMES = st.tuples(
    st.sampled_from(HEADS),
    st.lists(st.tuples(WORDS, st.sampled_from(["/", "-", ":", "", ".", "_"])), min_size=1, max_size=5),
).map(lambda drawn: drawn[0] + "".join(word + mark for word, mark in drawn[1]))
DAYS = st.lists(st.integers(0, 300), min_size=1, max_size=4, unique=True).map(
    lambda ago: tuple(sorted(LAST - timedelta(days=each) for each in ago))
)
OBSERVATIONS = st.lists(
    st.builds(
        Observation, st.sampled_from(["s3:GetObject", "kms:Decrypt", "x:Y"]), NAMES | st.just("*"), st.just(1), DAYS
    ),
    max_size=40,
)
LEVEL = st.sampled_from(sorted(LEVELS))


def matches(pattern, resource):
    read = tokens(pattern)
    return pattern == "*" or compiled(arn(read) or read).match(resource) is not None


def _used(name, ago):
    return Observation(
        "s3:GetObject", f"arn:aws:ec2:eu-west-1:111122223333:instance/{name}", 1, (LAST - timedelta(days=ago),)
    )


@settings(max_examples=300, deadline=None)
@given(OBSERVATIONS, LEVEL)
@example([_used("2026-orders/", 1), _used("part-00012/", 0), _used("orders-2026/", 0)], "relaxed")
def test_whatever_was_seen_is_served_by_its_pattern(observations, level):
    found = generalise(observations, LAST, level=level)
    for each in observations:
        assert matches(found.serving[each.action][each.resource].resource, each.resource)


@settings(max_examples=150, deadline=None)
@given(OBSERVATIONS, LEVEL, st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(observations, level, rng):
    shuffled = observations + observations[:3]
    rng.shuffle(shuffled)

    assert str(generalise(shuffled, LAST, level=level)) == str(generalise(observations, LAST, level=level))


@settings(max_examples=300, deadline=None)
@given(OBSERVATIONS, LEVEL)
def test_no_pattern_leaves_the_service_account_and_region_of_what_it_stands_for(observations, level):
    found = generalise(observations, LAST, level=level)
    for action, serving in found.serving.items():
        heads = {resource.rsplit(":", resource.count(":") - 4)[0] for resource in serving if resource != "*"}
        for each in found.patterns(action):
            if each.kind != "shared" and each.resource != "*":
                assert any(each.resource.startswith(head) for head in heads)


@settings(max_examples=300, deadline=None)
@given(OBSERVATIONS)
def test_keys_and_roles_are_never_opened(observations):
    found = generalise(observations, LAST)
    for serving in found.serving.values():
        for resource, each in serving.items():
            if ":kms:" in resource and "*" not in resource and "?" not in resource:
                assert each.kind == "exact"


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(
    ["%Y/%m/%d", "%Y-%m-%d", "%Y%m%d", "%d-%m-%Y", "%Y-%j", "%Y.%m.%d", "%d%b%Y", "%y%m%d", "%Y/%j", "%Y-%m", "%Y-W%V",
     "%Y%m%dT%H", "year=%Y/month=%m/day=%d", "%B-%Y-%d"]))  # fmt: skip
def test_a_name_that_carries_the_day_of_its_call_is_seen_to(day, form):
    if form not in ("%Y-W%V", "%B-%Y-%d"):
        masked = mask(f"logs/{day.strftime(form)}/x.gz", [day])
        assert masked is not None
        assert masked[0].replace("year=", "") == "logs/\ue001/x.gz"


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(40, 400))
def test_a_date_far_from_the_call_is_none(day, away):
    assert mask(f"logs/{day:%Y-%m-%d}/x.gz", [day + timedelta(days=away + 365)]) is None
