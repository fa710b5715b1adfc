"""What an account gathers over the years: doors left open, doubles, leftovers. Staging's, and data's root user.

Nothing here makes a call: the roles are idle all window long.
"""

from __future__ import annotations

from trailfit.demo.cast import HOME, STAGING, Group, ManagedPolicy, Role, allow, policy, trusts

VENDOR = "999988887777"
HERE = f"{HOME}:{STAGING}"
_GITHUB = "token.actions.githubusercontent.com"
_FLAGS = f"arn:aws:ssm:{HERE}:parameter/shop/flags/*"

ROLES = (
    # A vendor of long ago: its whole account may come in, and no external ID tells its customers apart.
    Role(
        STAGING,
        "vendor-cost-role",
        trusts("AWS", f"arn:aws:iam::{VENDOR}:root"),
        inline={"read": policy(allow(["ce:GetCostAndUsage", "s3:ListAllMyBuckets"], "*", sid="Read"))},
        created_days_ago=930,
        idle_days=412,
    ),
    # Anybody in AWS may read anything but the secrets.
    Role(
        STAGING,
        "open-data-role",
        trusts("AWS", "*"),
        inline={
            "share": policy(
                {
                    "Sid": "AllButSecrets",
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "NotResource": "arn:aws:s3:::shop-staging-secrets/*",
                }
            )
        },
        created_days_ago=700,
        idle_days=350,
    ),
    # Any repository on GitHub could deploy: only the audience is checked.
    Role(
        STAGING,
        "preview-deploy",
        trusts(
            "Federated",
            f"arn:aws:iam::{STAGING}:oidc-provider/{_GITHUB}",
            action="sts:AssumeRoleWithWebIdentity",
            condition={"StringEquals": {f"{_GITHUB}:aud": "sts.amazonaws.com"}},
        ),
        inline={"preview": policy(allow("s3:PutObject", "arn:aws:s3:::shop-staging-previews/*", sid="Upload"))},
        created_days_ago=400,
        idle_days=260,
    ),
    # Its name suggests a purpose that nothing declares.
    Role(
        STAGING,
        "emergency-restore-role",
        trusts("AWS", f"arn:aws:iam::{STAGING}:root", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        inline={"restore": policy(allow("rds:RestoreDBInstanceFromDBSnapshot", "*", sid="Restore"))},
        created_days_ago=820,
    ),
)

GROUPS = (Group(STAGING, "contractors", managed=("AmazonS3ReadOnlyAccess",)),)

POLICIES = (
    ManagedPolicy(
        STAGING,
        "feature-flags",
        policy(allow(["ssm:GetParameter", "ssm:GetParameters"], _FLAGS, sid="Flags")),
        older=(policy(allow("ssm:*", "*")),),
    ),
    # The same in other words.
    ManagedPolicy(
        STAGING,
        "read-feature-flags",
        policy(allow("ssm:GetParameters", _FLAGS), allow("ssm:GetParameter", [_FLAGS])),
        created_days_ago=380,
    ),
)
