"""From observations to patterns: each case of the table is a role's log, and what a policy should list."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from trailfit.policy.generalise import Observation, generalise

LAST = date(2026, 12, 10)
CASES = json.loads((Path(__file__).parents[1] / "cases" / "generalise.json").read_text(encoding="utf-8"))


def days(spec):
    """`every N` days of the 90 before the end, `on A B …` days before the end."""
    kind, *numbers = spec.split()
    ago = range(0, 90, int(numbers[0])) if kind == "every" else [int(each) for each in numbers]
    return [LAST - timedelta(days=each) for each in ago]


def observed(entry):
    """One observation a distinct name: ``{date:%Y-%m-%d}`` is the day, ``{n}`` counts, ``{hex}`` is drawn from the count."""
    found = {}
    for number, day in enumerate(sorted(days(entry["days"]))):
        name = entry["resource"].replace("{n}", f"{100 + number:05d}")
        name = name.replace("{hex}", f"{(number + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}")
        name = name.replace("{lag}", (day - timedelta(days=31)).strftime("%Y-%m-%d"))
        while "{date:" in name:
            head, _, rest = name.partition("{date:")
            form, _, tail = rest.partition("}")
            name = head + day.strftime(form) + tail
        if "{word}" in name:
            name = name.replace("{word}", entry["words"][number * len(entry["words"]) // len(days(entry["days"]))])
        found.setdefault(name, []).append(day)
    return [Observation(entry["action"], name, len(when), tuple(when)) for name, when in found.items()]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_patterns_are_what_the_case_says(case):
    observations = [each for entry in case["seen"] for each in observed(entry)]

    found = generalise(observations, LAST, level=case.get("level", "balanced"))

    told = {action: [each.resource for each in found.patterns(action)] for action in found.serving}
    assert told == case["patterns"]
    for action in found.serving:
        for each in found.patterns(action):
            assert (each.kind == "exact") == (not each.reason), each


def test_the_order_of_events_changes_nothing():
    observations = [each for case in CASES for entry in case["seen"] for each in observed(entry)]

    forward, backward = generalise(observations, LAST), generalise(observations[::-1], LAST)

    assert forward == backward
    assert str(forward) == str(backward)


def test_every_wildcard_says_why_with_numbers():
    entry = {
        "action": "s3:PutObject",
        "resource": "arn:aws:s3:::b/orders/{date:%Y/%m/%d}/{hex}.json",
        "days": "every 1",
    }

    (pattern,) = generalise(observed(entry), LAST).patterns("s3:PutObject")

    assert pattern.resource == "arn:aws:s3:::b/orders/*.json"
    assert pattern.reason == "90 names like this, new ones on 59 of the last 59 days"


def test_an_action_that_hands_out_rights_is_never_given_what_it_was_not_used_on():
    seen = [
        {"action": "iam:GetRole", "resource": "arn:aws:iam::111122223333:role/one", "days": "every 1"},
        {"action": "iam:PassRole", "resource": "arn:aws:iam::111122223333:role/two", "days": "on 5"},
    ]
    observations = [each for entry in seen for each in observed(entry)]

    found = generalise(observations, LAST, no_sharing=frozenset({"iam:PassRole"}))

    assert [each.resource for each in found.patterns("iam:PassRole")] == ["arn:aws:iam::111122223333:role/two"]


def test_a_level_for_one_service_leaves_the_others_alone():
    seen = [
        {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/{hex}", "days": "on 3 9 80"},
        {"action": "sqs:SendMessage", "resource": "arn:aws:sqs:eu-west-1:111122223333:job-{n}", "days": "on 3 9 80"},
    ]
    observations = [each for entry in seen for each in observed(entry)]

    found = generalise(observations, LAST, by_service={"s3": "exact"})

    assert len(found.patterns("s3:GetObject")) == 3
    assert [each.resource for each in found.patterns("sqs:SendMessage")] == ["arn:aws:sqs:eu-west-1:111122223333:job-*"]
