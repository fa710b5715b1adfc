"""What became of a call, from its error code and message."""

import pytest

from trailfit.cloudtrail.outcome import classify, refusal

CLASSES = {
    None: "allowed",
    "NoSuchKey": "allowed",
    "ResourceNotFoundException": "allowed",
    "Client.DryRunOperation": "allowed",
    "ConditionalCheckFailedException": "allowed",
    "AccessDenied": "denied",
    "Client.UnauthorizedOperation": "denied",
    "AccessDeniedException": "denied",
    "com.amazonaws.dynamodb.v20120810#AccessDeniedException": "denied",
    "SomeNewAccessDeniedFault": "denied",
    "KMSAccessDeniedException": "denied_dependent",
    "NewKMSAccessDeniedFault": "denied_dependent",
    "ThrottlingException": "undetermined",
    "Client.RequestLimitExceeded": "undetermined",
    "NewThrottledException": "undetermined",
    "ExpiredToken": "not_authenticated",
}


@pytest.mark.parametrize("code", CLASSES)
def test_error_code_has_its_class(code):
    assert classify(code) == CLASSES[code]


MESSAGES = [
    (
        (
            "User: u is not authorized to perform: SNS:ListTopics on resource: arn:aws:sns:us-east-1:1:* because no "
            "identity-based policy allows the SNS:ListTopics action"
        ),
        ("sns:ListTopics", "arn:aws:sns:us-east-1:1:*", "denied: no identity-based policy allows it"),
    ),
    (
        (
            "You are not authorized to perform this operation. User: u is not authorized to perform: ec2:CreateTags on "
            "resource: arn:aws:ec2:us-east-1:1:vpc/* because no permissions boundary allows the ec2:CreateTags action. "
            "Encoded authorization failure message: abc"
        ),
        ("ec2:CreateTags", "arn:aws:ec2:us-east-1:1:vpc/*", "denied: no permissions boundary allows it"),
    ),
    (
        (
            "User: u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:x with an explicit deny in a "
            "resource-based policy"
        ),
        ("kms:Decrypt", "arn:aws:kms:x", "denied: an explicit deny in a resource-based policy"),
    ),
    ("User: u is not authorized to perform: sqs:ListQueues", ("sqs:ListQueues", None, "denied")),
    ("Access Denied", (None, None, "denied")),
    ("Cross-account pass role is not allowed.", (None, None, "denied")),
    (None, (None, None, "denied; AWS gives no reason")),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_message_says_what_was_refused_and_by_which_policy(message, expected):
    said = refusal(message)

    assert (said.action, said.resource, said.why) == expected
