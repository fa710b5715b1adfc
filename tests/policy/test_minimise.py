"""Writing policies: few statements, few characters, within the quotas, and no action more."""

import itertools
import json
import random

import pytest

from trailfit.policy import minimise, pattern
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document

UNIVERSE = [
    "s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:PutObject", "s3:PutObjectAcl",
    "s3:ListBucket", "s3:ListAllMyBuckets", "sqs:SendMessage", "sqs:ReceiveMessage", "s3:Get", "iam:GetSSHPublicKey", "iam:GetSSLThing",
]  # fmt: skip


def matched(written):
    return {
        action
        for action in UNIVERSE
        for each in written
        if pattern.matches(pattern.tokens(each.lower(), variables=False), action.lower())
    }


def test_statements_group_actions_with_equal_resources():
    written = minimise.statements(
        [
            ("s3:PutObject", "b"),
            ("s3:GetObject", "b"),
            ("s3:PutObject", "a"),
            ("s3:GetObject", "a"),
            ("ec2:X", "*"),
            ("ec2:X", "a"),
            ("s3:L", "c"),
        ],
        {"Bool": {"k": "true"}},
    )

    condition = {"Condition": {"Bool": {"k": "true"}}}
    assert written == [
        {"Effect": "Allow", "Action": "ec2:X", "Resource": "*", **condition},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a", "b"], **condition},
        {"Effect": "Allow", "Action": "s3:L", "Resource": "c", **condition},
    ]
    assert "Condition" not in minimise.statements([("s3:L", "c")])[0]
    assert minimise.statements([]) == []


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([], []), (["s3:GetObject"], ["s3:GetObject"]), (["s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"], ["s3:GetObject*"]),
        (["s3:GetObject", "s3:GetObjectAcl"], ["s3:GetObject", "s3:GetObjectAcl"]), (["sqs:SendMessage", "sqs:ReceiveMessage"], ["sqs:*"]),
        ([a for a in UNIVERSE if a.startswith("s3:Get")], ["s3:Get*"]), (["s3:PutObject", "s3:PutObjectAcl", "x:New"], ["s3:Put*", "x:New"]),
        (["iam:GetSSHPublicKey", "iam:GetSSLThing"], ["iam:*"]), (["s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:Get"], ["s3:Get", "s3:GetBucket*"]),
    ],
)  # fmt: skip
def test_whole_words_are_made_short(actions, expected):
    assert minimise.minimise(actions, UNIVERSE) == expected


def test_minimise_never_grants_one_action_more_and_loses_none():
    rng = random.Random(7)
    for _ in range(300):
        actions = set(rng.sample(UNIVERSE, rng.randrange(1, len(UNIVERSE))))
        written = minimise.minimise(actions, UNIVERSE)
        assert matched(written) == actions
        assert sum(map(len, written)) <= sum(map(len, actions))


def test_permitted_actions_may_come_along():
    wanted = ["s3:GetObject", "s3:GetObjectAcl"]

    assert minimise.minimise(wanted, UNIVERSE, lambda action: action == "s3:GetObjectTagging") == ["s3:GetObject*"]
    assert minimise.minimise(wanted, UNIVERSE, lambda action: action == "s3:GetBucketAcl") == wanted


def test_size_leaves_white_space_out():
    raw = {"Version": "2012-10-17", "Statement": []}

    assert minimise.size(raw) == len('{"Version":"2012-10-17","Statement":[]}')
    assert minimise.size({"é": "ü"}) == len('{"é":"ü"}')


def test_quotas_are_aws():
    assert {kind: quota.characters for kind, quota in minimise.quotas().items()} == {
        "managed": 6144, "role": 10240, "user": 2048, "group": 5120, "trust": 2048,
    }  # fmt: skip
    assert minimise.quotas()["managed"].documents == 10
    assert [kind for kind, quota in minimise.quotas().items() if quota.together] == ["role", "user", "group"]


def _many(services=12, each=9):
    return [
        {"Effect": "Allow", "Action": f"svc{chr(97 + n)}:Do{m}", "Resource": f"arn:aws:svc{n}:::thing{m}"}
        for n, m in itertools.product(range(services), range(each))
    ]


def test_split_keeps_every_document_within_the_limit_and_all_that_is_granted():
    written = _many()
    documents = minimise.split(written, 1500)

    assert len(documents) > 3
    assert all(minimise.size(each) <= 1500 for each in documents)
    assert sorted(map(json.dumps, written)) == sorted(json.dumps(s) for each in documents for s in each["Statement"])
    assert {each["Version"] for each in documents} == {"2012-10-17"}
    assert minimise.split([], 100) == []
    assert len(minimise.split(written, 10**6)) == 1


def test_split_does_not_depend_on_the_order():
    written = _many()
    shuffled = random.Random(3).sample(written, len(written))

    assert minimise.split(written, 1500) == minimise.split(shuffled, 1500)


def test_split_moves_little_when_a_statement_is_added():
    before = minimise.split(_many(), 1500)
    after = minimise.split([*_many(), {"Effect": "Allow", "Action": "svcf:Another", "Resource": "*"}], 1500)

    assert sum(document not in before for document in after) <= 3


def test_statement_too_large_alone_is_parted_without_new_access():
    large = {
        "Sid": "big",
        "Effect": "Allow",
        "Action": [f"s3:A{n}" for n in range(20)],
        "Resource": [f"arn:aws:s3:::b{n}" for n in range(90)],
    }
    documents = minimise.split([large], 900)
    whole = Document.parse(minimise.document([large]))
    parts = [Document.parse(each) for each in documents]

    assert all(minimise.size(each) <= 900 for each in documents)
    assert no_new_access(parts, [whole]).holds is True
    assert no_new_access([whole], parts).holds is True


def test_statements_part_at_the_first_letter_that_tells_them_apart():
    a1, a2, b1 = ({"Effect": "Allow", "Action": f"s3:{name}", "Resource": "*"} for name in ("A1", "A2", "B1"))
    limit = minimise.size(minimise.document([a1, a2]))

    assert [each["Statement"] for each in minimise.split([b1, a2, a1], limit)] == [[a1, a2], [b1]]
    assert [each["Statement"] for each in minimise.split([b1, a2], limit - 1)] == [[a2], [b1]]


def test_longer_list_is_parted_and_a_lone_string_never():
    long = "arn:aws:s3:::" + "b" * 60
    one = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": long}
    documents = minimise.split([one], minimise.size(minimise.document([one])) - 1)

    assert [each["Statement"] for each in documents] == [
        [{"Effect": "Allow", "Action": action, "Resource": long}] for action in ("s3:GetObject", "s3:PutObject")
    ]


def test_statements_part_at_their_first_letter_first():
    several = [{"Effect": "Allow", "Action": each, "Resource": "*"} for each in ("a:A", "b:A", "b:B")]
    limit = minimise.size(minimise.document(several[1:]))

    assert [each["Statement"] for each in minimise.split(several, limit)] == [several[:1], several[1:]]


def test_list_of_one_is_not_parted_however_long_it_is():
    action = ["s3:" + "A" * 80]
    one = {"Sid": "big", "Effect": "Allow", "Action": action, "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}
    documents = minimise.split([one], minimise.size(minimise.document([one])) - 1)

    assert [each["Statement"] for each in documents] == [
        [{"Sid": f"big{number}", "Effect": "Allow", "Action": action, "Resource": bucket}]
        for number, bucket in enumerate(one["Resource"], 1)
    ]


def test_parts_of_a_statement_have_sids_of_their_own_where_it_has_one():
    large = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::b{n}" for n in range(40)]}
    named = [part for each in minimise.split([{"Sid": "big", **large}], 600) for part in each["Statement"]]
    nameless = [part for each in minimise.split([large], 600) for part in each["Statement"]]

    assert len(named) > 1
    assert len({part["Sid"] for part in named}) == len(named)
    assert all(part["Sid"].startswith("big") for part in named)
    assert not any("Sid" in part for part in nameless)


def test_limit_is_the_most_a_document_may_have():
    written = _many(2, 2)
    exactly = minimise.size(minimise.document(written))

    assert len(minimise.split(written, exactly)) == 1
    assert len(minimise.split(written, exactly - 1)) == 2


def test_order_of_elements_does_not_order_statements():
    later = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "b"}
    earlier = {"Resource": "a", "Effect": "Allow", "Action": "s3:GetObject"}

    assert minimise.split([later, earlier], 10**6)[0]["Statement"] == [earlier, later]


def test_short_names_are_worth_a_wildcard_too():
    assert minimise.minimise(["x:A", "x:B"], ["x:A", "x:B"]) == ["x:*"]


def test_what_cannot_be_parted_is_refused():
    with pytest.raises(ValueError, match="the limit is 60"):
        minimise.split([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}], 60)


def test_statements_with_one_first_action_are_spread():
    same = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{n}/*"} for n in range(30)]

    assert all(minimise.size(each) <= 600 for each in minimise.split(same, 600))
    assert (
        minimise.split([{"Effect": "Deny", "NotAction": ["s3:*"], "Resource": "*"}], 600)[0]["Statement"][0]["Effect"]
        == "Deny"
    )
