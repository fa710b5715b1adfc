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
    (
        (
            'User: u is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/a key with spaces" because '
            "no identity-based policy allows the s3:GetObject action"
        ),
        ("s3:GetObject", "arn:aws:s3:::b/a key with spaces", "denied: no identity-based policy allows it"),
    ),
    (
        (
            'User: u is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/v1. a "draft" because.txt" '
            "with an explicit deny in a resource control policy: arn:aws:organizations::1:policy/o/p"
        ),
        (
            "s3:GetObject",
            'arn:aws:s3:::b/v1. a "draft" because.txt',
            "denied: an explicit deny in a resource control policy",
        ),
    ),
    (
        'User: u is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::b"',
        ("s3:ListBucket", "arn:aws:s3:::b", "denied"),
    ),
    (
        (
            "User: u is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because the "
            "resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
            "explicitly denies access"
        ),
        ("kms:Decrypt", None, "denied"),
    ),
    (
        "User: u is not authorized to perform: guardduty:GetDetector on the specified resource",
        ("guardduty:GetDetector", None, "denied"),
    ),
    (
        "User: u is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:x (Service: Kms, Status Code: 400)",
        ("kms:Encrypt", "arn:aws:kms:x", "denied"),
    ),
    (
        "User: u is not authorized to perform: sts:AssumeRole\nwith an explicit deny in the role trust policy",
        ("sts:AssumeRole", None, "denied: an explicit deny in the role trust policy"),
    ),
    (
        "User: u is not authorized to perform: sagemaker:ListModels\nbecause no VPC endpoint policy allows the x action",
        ("sagemaker:ListModels", None, "denied: no VPC endpoint policy allows it"),
    ),
    (
        (
            "User: u is not authorized to perform: dynamodb:GetItem with an explicit deny in an identity policy. Go to "
            "https://console.aws.amazon.com/iam/home#/access-troubleshooter for complete details"
        ),
        ("dynamodb:GetItem", None, "denied: an explicit deny in an identity policy"),
    ),
    ("Access Denied", (None, None, "denied")),
    ("Cross-account pass role is not allowed.", (None, None, "denied")),
    (None, (None, None, "denied; AWS gives no reason")),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_message_says_what_was_refused_and_by_which_policy(message, expected):
    said = refusal(message)

    assert (said.action, said.resource, said.why) == expected
