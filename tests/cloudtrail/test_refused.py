"""The uses of a denied event: what AWS says was refused."""

import pytest

from trailfit.cloudtrail.event import Use
from trailfit.cloudtrail.outcome import refusal
from trailfit.cloudtrail.refused import refused_uses
from trailfit.cloudtrail.transforms import Place

PLACE = Place("aws", "eu-west-1", "111122223333")
SAID = "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: "
WHY = " because no identity-based policy allows the action"
#: What a message says → the action and the resource of the use.
NAMED = {
    's3:GetObject on resource: "arn:aws:s3:::b/a key with spaces"': (
        "s3:GetObject",
        "arn:aws:s3:::b/a key with spaces",
    ),
    's3:ListBucket on resource: "arn:aws:s3:::b"': ("s3:ListBucket", "arn:aws:s3:::b"),
    "s3:GetObject on resource: arn:aws:s3:::b/a key": ("s3:GetObject", "arn:aws:s3:::b/a key"),
    "iam:PassRole on resource: arn:aws:iam::111122223333:role/app/fn": (
        "iam:PassRole",
        "arn:aws:iam::111122223333:role/app/fn",
    ),
    "iam:DeleteUser on resource: user dora": ("iam:DeleteUser", "arn:aws:iam::111122223333:user/dora"),
    "iam:AddRoleToInstanceProfile on resource: instance profile web": (
        "iam:AddRoleToInstanceProfile",
        "arn:aws:iam::111122223333:instance-profile/web",
    ),
    "iam:SetDefaultPolicyVersion on resource: policy arn:aws:iam::111122223333:policy/p version v2": (
        "iam:SetDefaultPolicyVersion",
        "arn:aws:iam::111122223333:policy/p",
    ),
    "secretsmanager:GetSecretValue on resource: db": (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-??????",
    ),
    "ec2:DescribeInstances on resource: *": ("ec2:DescribeInstances", "*"),
    "SNS:ListTopics on resource: arn:aws:sns:us-east-1:111122223333:*": (
        "sns:ListTopics",
        "arn:aws:sns:us-east-1:111122223333:*",
    ),
}


@pytest.mark.parametrize("text", NAMED)
def test_message_names_action_and_resource_without_quotes(text):
    (use,) = refused_uses(refusal(SAID + text + WHY), (), PLACE)

    assert (use.action, use.resource) == NAMED[text]


@pytest.mark.parametrize(
    "text",
    ["kms:Decrypt on this resource", "kms:Decrypt on the resource associated with this ciphertext", "kms:Decrypt"],
)
def test_resource_that_the_message_does_not_name_is_the_requests(text):
    asked = (Use("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", "required", "name:kms:Decrypt"),)

    assert refused_uses(refusal(SAID + text + WHY), asked, PLACE) == asked


def test_message_without_action_leaves_all_that_was_asked():
    asked = (Use("s3:GetObject", "arn:aws:s3:::b/k", "required", "name:s3:GetObject"),)

    assert refused_uses(refusal("Access Denied"), asked, PLACE) == asked
