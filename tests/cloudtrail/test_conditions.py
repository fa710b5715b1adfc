"""What a request's keys settle of a plan is what testing every condition finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trailfit.catalog import rules
from trailfit.cloudtrail.conditions import condition
from trailfit.cloudtrail.plan import plan

NAMES = sorted({(rule.service, rule.event_name) for found in rules.event_rules().values() for rule in found})
CONDITIONS = sorted({rule.when for found in rules.event_rules().values() for rule in found if rule.when})
KEYS = sorted({term.keys[0] for text in CONDITIONS if (found := condition(text)) for term in found.terms})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=4) | st.sampled_from(["true", "b/k", "items"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "items"]), inner, max_size=3),
    max_leaves=6,
)
REQUESTS = st.dictionaries(
    st.sampled_from(KEYS).map(str) | st.sampled_from(KEYS).map(str.upper) | st.just("items"), VALUES, max_size=4
)


@given(st.sampled_from(CONDITIONS), REQUESTS)
def test_what_the_keys_leave_of_a_condition_is_the_condition(text, request):
    if isinstance(request.get("items"), list):
        del request["items"]
    whole = condition(text)
    assert whole is not None

    left = whole.given(frozenset(key.lower() for key in request))

    assert whole(request) == (left is not None and left(request))


@given(st.sampled_from(NAMES), REQUESTS | VALUES)
def test_needs_fitting_a_request_are_those_whose_conditions_hold(name, request):
    compiled = plan(*name)

    fitting = [need for need in compiled._fitting(request) if need.when is None or need.when(request)]

    holding = [need for need in compiled.needs if need.when is None or need.when(request)]
    assert [(need.action, need.resources, need.basis) for need in fitting] == [
        (need.action, need.resources, need.basis) for need in holding
    ]
