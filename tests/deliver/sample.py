"""A hand-made recommendations.json: a small organisation, and the same made of hostile text."""

from __future__ import annotations

from typing import Any

EVENT = "5f1c2a9e-0b7d-4c55-9a57-3d2f6e1b8c04"
ACCOUNT = "012345678901"
ORDERS = f"arn:aws:iam::{ACCOUNT}:role/app/orders-writer"

HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><svg/onload=document.title='owned'>",
    "{{ 7*7 }}${7*7}#{7*7}",
    "[click](javascript:alert(1)) ![x](http://example.invalid/x.png) @octocat #1 **b** | `c` ``` ~~~",
    "\x1b[31mred\x1b]0;title\x07",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "../../etc/passwd",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200bzero\ufeff",
    "line\nbreak\r\n# heading\n\n- item",
    "</style></script><!--",
    "\ud800 lone surrogate",
]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {**more, "Effect": "Allow", "Action": action, "Resource": resource}


def used(action: str, calls: int, *resources: str, **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "class": "used",
        "reason": "seen in the log",
        "calls": calls,
        "first_used": "2026-08-03T06:00:12Z",
        "last_used": "2026-10-31T22:14:03Z",
        "resources": list(resources),
        "example_event": EVENT,
        **more,
    }


def silent(action: str, cls: str, reason: str) -> dict[str, Any]:
    return {
        "action": action,
        "class": cls,
        "reason": reason,
        "calls": 0,
        "first_used": None,
        "last_used": None,
        "resources": [],
        "example_event": None,
    }


def proofs(holds: bool | None = True, requests: int = 1204) -> dict[str, Any]:
    example = None if holds else {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "context": {}}
    return {
        "no_new_access": {"holds": holds, "method": "each new Allow refines one old Allow", "counterexample": example},
        "still_allows": {"holds": True, "requests": requests, "denied": []},
    }


def recommendation(principal: str, before: list[Any], after: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"rec-{abs(hash_of(principal)):08x}",
        "principal": principal,
        "action": "CREATE_POLICY",
        "finding_ids": [],
        "disposition": "safe",
        "reasons": ["Every granted action could be judged over the whole window."],
        "before": before,
        "after": after,
        "permissions": {"used": 1, "unused": 0, "undetermined": 0, "kept": 0},
        "proofs": proofs(),
        "rollback": ["Attach AmazonDynamoDBFullAccess again, then delete the inline policy."],
        "explanations": [],
        "backtest": backtest([]),
        "p_break": p_break(0.0312),
        **more,
    }


def backtest(denials: list[dict[str, Any]]) -> dict[str, Any]:
    calls = sum(each["calls"] for each in denials)
    spans = {
        "train": {"from": "2026-08-03", "to": "2026-10-01", "days": 60},
        "test": {"from": "2026-10-02", "to": "2026-10-31", "days": 30},
    }
    counts = {"calls": 1204, "calls_denied": calls, "uses": 40, "uses_denied": len(denials)}
    return {
        "verdict": "denied" if denials else "held",
        "summary": f"30 days replayed against what the 60 days before them taught: {calls} of 1,204 calls denied",
        **counts,
        "uses_denied_by_action": sum(each["cause"] == "action" for each in denials),
        "uses_denied_by_resource": sum(each["cause"] == "resource" for each in denials),
        "replays": [{**spans, **counts}],
        "denials": denials,
    }


def replay_denial(text: str) -> dict[str, Any]:
    return {"action": text, "resource": text, "calls": 3, "cause": "action", "remedy": text, "example_event": text}


def p_break(probability: float | None, text: str = "90 days of log, at work on 88 of them") -> dict[str, Any]:
    return {
        "days": 30, "probability": probability, "action": probability, "resource": probability,
        "because": [text], "summary": f"chance that it denies something within 30 days: {text}",
    }  # fmt: skip


def hash_of(text: str) -> int:
    return int(sum(ord(char) * 31**index for index, char in enumerate(text)) % 2**32)


def finding(principal: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{kind}-{hash_of(principal + str(more)):08x}",
        "kind": kind,
        "principal": principal,
        "severity": "medium",
        "confidence": "high",
        "evidence": {"days": 90, "last_used": None},
        **more,
    }


DYNAMO_UNUSED = [
    "BatchGetItem",
    "BatchWriteItem",
    "CreateBackup",
    "CreateTable",
    "DeleteBackup",
    "DeleteItem",
    "DeleteTable",
    "DescribeTable",
    "GetItem",
    "ListTables",
    "Query",
    "Scan",
    "UpdateItem",
    "UpdateTable",
    "DeleteResourcePolicy",
]


UNUSED = {
    "s3": [
        "s3:DeleteBucket",
        "s3:PutBucketPolicy",
        "s3:PutBucketTagging",
        "s3:GetBucketAcl",
        "s3:ListAllMyBuckets",
        "s3:DeleteBucketPolicy",
        "s3:GetBucketCORS",
        "s3:GetBucketLogging",
        "s3:CreateBucket",
        "s3:PutBucketAcl",
    ],
    "sqs": [
        "sqs:AddPermission",
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:ListQueues",
        "sqs:PurgeQueue",
        "sqs:TagQueue",
    ],
    "ec2": [
        "ec2:RunInstances",
        "ec2:TerminateInstances",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:CreateVpc",
        "ec2:GetPasswordData",
        "ec2:ModifyInstanceAttribute",
        "ec2:CreateSecurityGroup",
        "ec2:StopInstances",
    ],
    "ssm": ["ssm:SendCommand", "ssm:StartSession", "ssm:PutParameter", "ssm:DescribeParameters", "ssm:ListDocuments"],
}


def orders_writer() -> tuple[dict[str, Any], dict[str, Any]]:
    table = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
    full = allow(["dynamodb:*", "dax:*", "cloudwatch:GetMetricData"], "*", Sid="DynamoDBFullAccess")
    kept = [
        silent(f"logs:{a}", "kept", "written by the Lambda runtime, never logged")
        for a in ("CreateLogStream", "PutLogEvents")
    ]
    principal = {
        "principal": ORDERS,
        "account": ACCOUNT,
        "kind": "role",
        "name": "orders-writer",
        "permissions": [
            used("dynamodb:PutItem", 18_204, table),
            *kept,
            *[
                silent(f"dynamodb:{a}", "unused", "data events of DynamoDB were on for all 90 days")
                for a in DYNAMO_UNUSED
            ],
            silent("dax:GetItem", "undetermined", "CloudTrail does not log this action"),
        ],
        "denied": [
            {
                "action": "s3:GetObject",
                "resource": "arn:aws:s3:::secrets/key.pem",
                "calls": 3,
                "last": "2026-09-02T03:12:44Z",
                "message": "User is not authorized to perform: s3:GetObject",
            }
        ],
    }
    proposal = recommendation(
        ORDERS,
        [
            {
                "kind": "aws_managed",
                "name": "AmazonDynamoDBFullAccess",
                "arn": "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
                "document": document(full),
            }
        ],
        [
            {
                "kind": "inline",
                "name": "trailfit-orders-writer",
                "document": document(
                    allow("dynamodb:PutItem", table),
                    allow(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders-writer:*",
                    ),
                ),
            }
        ],
        permissions={"used": 1, "unused": len(DYNAMO_UNUSED), "undetermined": 1, "kept": 2},
        finding_ids=["UnusedPermission-1"],
        explanations=[{"subject": "log-group:/aws/lambda/orders-writer:*", "reason": "new log streams keep arriving"}],
    )
    return principal, proposal


def recommendations() -> dict[str, Any]:
    """A believable small run: three accounts, one worked example, an admin, idle users, things left open."""
    principal, proposal = orders_writer()
    principals, proposals = [principal], [proposal]
    findings = [finding(ORDERS, "UnusedPermission", id="UnusedPermission-1", evidence={"actions": len(DYNAMO_UNUSED)})]
    for number in range(12):
        account = ("012345678901", "111122223333", "222233334444")[number % 3]
        arn = f"arn:aws:iam::{account}:role/service-{number:02d}"
        services = ("s3", "sqs", "ec2", "ssm")[: 1 + number % 4]
        permissions = [
            used(f"{s}:{a}", 40 * number + 7, f"arn:aws:{s}:eu-west-1:{account}:thing/{a}")
            for s in services
            for a in ("GetThing", "ListThings")
        ][: 1 + number % 5]
        permissions += [
            silent(action, "unused", "logged throughout, never called")
            for s in services
            for action in UNUSED[s][: 3 * number]
        ]
        permissions += [silent("s3:GetObject", "undetermined", "data events of S3 were off")] * (number % 3 == 1)
        principals.append(
            {
                "principal": arn,
                "account": account,
                "kind": "role",
                "name": f"service-{number:02d}",
                "permissions": permissions,
                "denied": [],
            }
        )
        old = {
            "kind": "inline",
            "name": "access",
            "document": document(allow([f"{s}:*" for s in services], "*"), allow("logs:*", "*")),
        }
        new = {
            "kind": "inline",
            "name": "access",
            "document": document(
                allow([p["action"] for p in permissions if p["class"] == "used"], "*"), allow("logs:*", "*")
            ),
        }
        if number % 4:
            proposals.append(
                recommendation(
                    arn,
                    [old],
                    [new],
                    disposition="unsafe" if number % 4 == 2 else "safe",
                    proofs=proofs(None if number == 6 else True, 17 * number),
                    reasons=["A deploy role: its work is rare and bursty."]
                    if number % 4 == 2
                    else ["Every granted action could be judged."],
                )
            )
        if number % 5 == 0:
            findings.append(finding(arn, "UnusedIAMRole", severity="high"))
    user = f"arn:aws:iam::{ACCOUNT}:user/marta"
    findings.append(finding(user, "UnusedIAMUserAccessKey", resource="AKIAIOSFODNN7EXAMPLE", severity="critical"))
    findings.append(finding(user, "UnusedIAMUserPassword", severity="low", confidence="medium"))
    coverage = [
        {
            "account": account,
            "region": region,
            "category": "Management",
            "data_type": None,
            "first_day": "2026-08-03",
            "last_day": "2026-10-31",
            "days_seen": 90 - 2 * index,
            "days_asked": 90,
            "gaps": [f"2026-09-{10 + day:02d}" for day in range(2 * index)],
        }
        for index, (account, region) in enumerate(
            [("012345678901", "eu-west-1"), ("111122223333", "eu-west-1"), ("222233334444", "us-east-1")]
        )
    ]
    coverage.append(
        {
            "account": ACCOUNT,
            "region": "eu-west-1",
            "category": "Data",
            "data_type": "AWS::DynamoDB::Table",
            "first_day": "2026-08-20",
            "last_day": "2026-10-31",
            "days_seen": 73,
            "days_asked": 90,
            "gaps": [],
        }
    )
    return {
        "trailfit": "1",
        "window": {"from": "2026-08-03", "to": "2026-10-31", "days": 90},
        "coverage": coverage,
        "unassessed": [
            {
                "subject": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/support.amazonaws.com/ForSupport",
                "reason": "a service-linked role cannot be edited",
            },
            {"subject": "222233334444", "reason": "S3 data events were not logged"},
        ],
        "findings": findings,
        "recommendations": proposals,
        "principals": principals,
        "summary": {"backtest": "Held out, the last 30 days would have seen 0 of 48,113 calls denied."},
    }


def hostile() -> dict[str, Any]:
    """The same form with hostile text wherever the schema allows text."""
    data = recommendations()
    data["principals"], data["recommendations"], data["findings"] = [], [], []
    for number, text in enumerate(HOSTILE):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{text}"
        data["principals"].append(
            {
                "principal": arn,
                "account": ACCOUNT,
                "kind": "role",
                "name": text,
                "permissions": [
                    used(text, 1, text, text, text, text, reason=text, example_event=text),
                    silent(text, "unused", text),
                    silent(text, "kept", text),
                    silent(text, "undetermined", text),
                ],
                "denied": [{"action": text, "resource": text, "calls": 1, "last": None, "message": text}],
            }
        )
        change = {"kind": "inline", "name": text, "document": document(allow(text, text, Sid=text))}
        other = {"kind": "inline", "name": text, "document": document(allow(text, "*", Sid=text))}
        evil = proofs(False)
        evil["no_new_access"] = {
            "holds": False,
            "method": text,
            "counterexample": {"action": text, "resource": text, "context": {text: text}},
        }
        evil["still_allows"]["denied"] = [{"action": text}]
        data["recommendations"].append(
            recommendation(
                arn,
                [change],
                [other],
                id=text,
                reasons=[text],
                proofs=evil,
                rollback=[text],
                explanations=[{"subject": text, "reason": text}],
                backtest={**backtest([replay_denial(text)]), "summary": text},
                p_break={**p_break(None, text), "summary": text},
            )
        )
        data["findings"].append(
            finding(arn, "Hostile", id=text + str(number), resource=text, evidence={text: [text], "x": {text: text}})
        )
        data["unassessed"].append({"subject": text, "reason": text})
        data["coverage"].append({"account": ACCOUNT, "region": text, "category": text, "data_type": text})
    data["summary"]["backtest"] = HOSTILE[0]
    return data
