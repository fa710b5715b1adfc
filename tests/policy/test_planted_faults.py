"""Faults planted on purpose: each must make the law's own test fail, or that test would prove nothing.

A fault is one change of a function's source, put in the place of its code for one test. The law test named beside it
passes without the fault and fails with it.
"""

import functools
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.policy import test_condition, test_containment, test_document, test_evaluate, test_pattern
from trailfit.policy import condition, document, evaluate, minterms, pattern, values


class Fault(NamedTuple):
    function: Callable[..., object]
    right: str
    wrong: str
    law_test: Callable[..., None]
    arguments: tuple[object, ...] = ()


trap, wildcards, arns, operators = (
    test_containment.test_trap, test_pattern.test_wildcards, test_pattern.test_arn_wildcards_stay_within_their_segment,
    test_condition.test_operator,
)  # fmt: skip

FAULTS = {
    "deny_is_dropped": Fault(evaluate.evaluate, "if deny:", "if False:", test_evaluate.test_deny_trumps_allow),
    "deny_is_dropped_from_the_principals_side": Fault(
        evaluate.grants, "None if deny is None else not deny", "True", test_evaluate.test_grants_looks_at_the_principals_own_side_only
    ),
    "lost_deny_is_not_looked_at": Fault(
        minterms.Question.__init__, "tuple(deny for deny in old.denies if not any(plainly_within(deny, each) for each in kept))", "()",
        trap, ("dropped_deny_grants",),
    ),
    "narrower_deny_is_taken_for_the_same": Fault(
        minterms.plainly_within, "outer.actions.covers_set(inner.actions)", "True", trap, ("narrower_deny",)
    ),
    "question_mark_is_a_run": Fault(pattern._plain, '_WILDCARDS.get(c, c)', '_WILDCARDS.get("*" if c == "?" else c, c)', wildcards, ("?", "", False)),
    "question_mark_is_a_run_in_proofs": Fault(
        pattern._plain, '_WILDCARDS.get(c, c)', '_WILDCARDS.get("*" if c == "?" else c, c)', trap, ("question_mark_is_not_a_run",)
    ),
    "wildcard_of_a_segment_crosses_the_colon": Fault(
        pattern.arn, "_WITHIN_SEGMENT.get(token, token)", "token", arns, ("arn:aws:sqs:?:1:q", "arn:aws:sqs:::1:q", False)
    ),
    "value_of_a_variable_is_a_pattern": Fault(
        pattern.resolve, "resolved.extend(value)", "resolved.extend(tokens(value))", test_pattern.test_value_of_a_variable_is_no_pattern
    ),
    "variable_without_value_is_empty": Fault(pattern.resolve, "return None", "continue", test_pattern.test_value_of_a_variable_is_no_pattern),
    "condition_is_ignored": Fault(
        evaluate.conditions_hold, "return every(", "return True or every(", test_evaluate.test_known_key_decides_even_where_others_are_unknown
    ),
    "condition_is_ignored_in_proofs": Fault(
        minterms.implies, "return all(", "return True or all(", trap, ("dropped_condition",)
    ),
    "unknown_key_is_guessed": Fault(
        condition.holds, "if found is None and not complete:", "if False:", test_evaluate.test_unknown_context_is_never_guessed
    ),
    "missing_key_fails_a_negated_operator": Fault(
        condition.holds, "return operator.negated and", "return False and", operators, ("StringNotEquals", ["a"], None, True)
    ),
    "missing_key_passes_for_any_value": Fault(
        condition.holds, 'condition.qualifier != "ForAnyValue"', "True", operators, ("ForAnyValue:StringNotEquals", ["a"], None, False)
    ),
    "if_exists_is_not_read": Fault(condition.read, "bool(written[3])", "False", trap, ("if_exists_is_weaker",)),
    "several_excluded_values_are_joined_by_or": Fault(
        condition.holds, "return all(each is None or", "return any(each is None or", operators, ("StringNotEquals", ["a", "b"], ["b"], False)
    ),
    "resource_is_put_in_lower_case": Fault(
        evaluate._one_resource, "pattern.matches(resolved, request.resource)", "pattern.matches(pattern.fold(resolved), request.resource.lower())",
        trap, ("resource_is_compared_with_case",),
    ),
    "action_is_compared_with_case": Fault(
        evaluate.action_matches, "action.lower()", "action", test_evaluate.test_deny_trumps_allow
    ),
    "boundary_is_forgotten": Fault(
        evaluate._principal_and_resource, "policies.boundary is None or boundary.allow", "True", test_evaluate.test_unknown_context_is_never_guessed
    ),
    "boundary_is_forgotten_in_proofs": Fault(
        minterms.Question.__init__, "self.boundary = boundary", "self.boundary = None", test_containment.test_boundary_takes_part
    ),
    "one_level_of_scps_is_enough": Fault(
        evaluate.evaluate, "*(level.allow for level in scp)", "either([level.allow for level in scp] or [True])", test_evaluate.test_every_level_must_allow
    ),
    "cross_account_needs_one_side": Fault(
        evaluate._principal_and_resource, "every((resource.allow, own, limits))", "either((resource.allow, own))",
        test_evaluate.test_account_in_the_arn_decides_where_none_is_said,
    ),
    "not_resource_is_read_as_resource": Fault(
        document._Reader.statement, 'not_resource=resource == "NotResource"', "not_resource=False", trap, ("not_resource_of_more_is_less",)
    ),
    "not_action_is_read_as_action": Fault(
        document._Reader.statement, 'not_action=action == "NotAction"', "not_action=False", trap, ("all_but_one_service",)
    ),
    "element_given_twice_is_read_once": Fault(
        document._no_duplicates, "if key in found:", "if False:", test_document.test_element_given_twice_is_refused
    ),
    "empty_value_is_never_tried": Fault(values._texts, 'yield ""', 'yield "x"', trap, ("empty_value_is_a_value",)),
}  # fmt: skip


def _forget():
    """Empty every cache of the policy language: an answer from before the fault must not hide it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("trailfit.policy."):
            for each in list(vars(module).values()):
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault_is_caught(name, monkeypatch):
    function, right, wrong, law_test, arguments = FAULTS[name]
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source
    space: dict[str, object] = {}
    exec(
        compile("from __future__ import annotations\n" + source.replace(right, wrong), name, "exec"),
        function.__globals__.copy(),
        space,
    )
    planted = inspect.unwrap(space[function.__name__])
    law = functools.partial(law_test, *arguments)
    law()

    monkeypatch.setattr(function, "__code__", planted.__code__)
    _forget()
    try:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            law()
    finally:
        monkeypatch.undo()
        _forget()
    law()
