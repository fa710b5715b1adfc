from hypothesis import given
from hypothesis import strategies as st

from trailfit.deliver.diff import line_diff, policy_diffs

from .sample import allow, document

LINES = st.lists(st.sampled_from(["{", "}", '"a",', '"a"', '"b"', "x"]), max_size=14)


def policy(name: str, *statements: dict[str, object], kind: str = "inline") -> dict[str, object]:
    return {"kind": kind, "name": name, "document": document(*statements)}


@given(LINES, LINES)
def test_both_texts_can_be_read_back_from_a_diff(before: list[str], after: list[str]) -> None:
    lines = line_diff(before, after, context=99)

    assert [line.text for line in lines if line.sign in "+ "] == after
    assert [line.text.rstrip(",") for line in lines if line.sign in "- "] == [text.rstrip(",") for text in before]


@given(LINES, LINES)
def test_lines_left_out_are_counted(before: list[str], after: list[str]) -> None:
    lines = line_diff(before, after, context=1)
    left_out = sum(int(line.text.split()[0]) for line in lines if line.sign == "@")

    assert len([line for line in lines if line.sign in "+ "]) + left_out == len(after)


def test_a_comma_at_the_end_is_no_change() -> None:
    assert [line.sign for line in line_diff(['"a",', '"b"'], ['"a"'])] == [" ", "-"]


def test_policies_of_one_name_are_compared_line_by_line() -> None:
    [diff] = policy_diffs([policy("p", allow(["s3:Get*", "s3:Put*"], "*"))], [policy("p", allow(["s3:Get*"], "*"))])

    assert (diff.change, diff.added, diff.removed) == ("changed", 0, 1)


def test_unlike_policies_are_shown_apart_the_new_one_first() -> None:
    gone = policy("AmazonDynamoDBFullAccess", allow(["dynamodb:*", "dax:*"], "*"), kind="aws_managed")
    new = policy("own", allow("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/t"))

    assert [diff.change for diff in policy_diffs([gone], [new])] == ["new", "gone"]


def test_a_policy_under_a_new_name_is_compared_with_the_old_when_alike() -> None:
    actions = [f"s3:{verb}" for verb in ("GetObject", "PutObject", "DeleteObject", "ListBucket", "GetBucketAcl")]
    [diff] = policy_diffs(
        [policy("old", allow(actions, "arn:aws:s3:::b"))], [policy("new", allow(actions[:4], "arn:aws:s3:::b"))]
    )

    assert (diff.change, diff.added, diff.removed) == ("changed", 0, 1)


def test_an_unchanged_policy_is_called_so() -> None:
    one = policy("p", allow("s3:GetObject", "*"))

    assert [diff.change for diff in policy_diffs([one], [one])] == ["same"]
