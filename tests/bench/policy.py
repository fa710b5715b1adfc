"""How fast the policy language is: containment on AWS's managed policies and mixes of them, decisions, imports.

Run: ``python tests/bench/policy.py``. Needs moto, for its copy of AWS's managed policies. Prints the bars of the
design beside each figure; exits 1 when one is missed.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from trailfit.policy.authorizer import Authorizer
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Policies, Request

#: Ten policies such as an application's role carries.
TYPICAL = (
    "AmazonS3ReadOnlyAccess", "AmazonDynamoDBFullAccess", "AmazonSQSFullAccess", "CloudWatchLogsFullAccess",
    "AWSXRayDaemonWriteAccess", "AmazonSSMReadOnlyAccess", "SecretsManagerReadWrite", "AWSLambdaVPCAccessExecutionRole",
    "AmazonSNSFullAccess", "AmazonEC2ReadOnlyAccess",
)  # fmt: skip


def managed() -> dict[str, dict[str, Any]]:
    """Read AWS's managed policies by name."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}


def half(document: dict[str, Any]) -> Document:
    """Copy a policy with every second action of its Allow statements dropped."""
    copied = copy.deepcopy(document)
    statements = copied["Statement"]
    for statement in [statements] if isinstance(statements, dict) else statements:
        actions = statement.get("Action")
        if statement["Effect"] == "Allow" and isinstance(actions, list) and len(actions) > 1:
            statement["Action"] = actions[::2]
    return Document.parse(copied)


def containment(policies: dict[str, dict[str, Any]]) -> bool:
    """Ask for each managed policy: within itself, its half within it, within ReadOnlyAccess, within PowerUserAccess."""
    documents = {name: Document.parse(document) for name, document in policies.items()}
    read_only, power_user = documents["ReadOnlyAccess"], documents["PowerUserAccess"]
    times: list[tuple[float, str, str]] = []
    answers: Counter[tuple[str, bool | None]] = Counter()
    for name, document in documents.items():
        questions = {
            "itself": (Document.parse(policies[name]), document),
            "its half": (half(policies[name]), document),
            "ReadOnlyAccess": (document, read_only),
            "PowerUserAccess": (document, power_user),
        }
        for question, (new, old) in questions.items():
            start = time.perf_counter()
            verdict = no_new_access([new], [old])
            times.append((time.perf_counter() - start, name, question))
            answers[question, verdict.holds] += 1
    times.sort()
    median, p99, worst = (times[min(int(len(times) * part), len(times) - 1)] for part in (0.5, 0.99, 1.0))
    undecided = sum(count for (_, holds), count in answers.items() if holds is None)
    print(f"no_new_access on {len(documents)} managed policies, {len(times)} questions: {dict(answers)}")
    print(f"  median {median[0] * 1e3:.2f} ms (bar 1), p99 {p99[0] * 1e3:.1f} ms (bar 100), max {worst[0]:.2f} s (bar 2):"
          f" {worst[1]} against {worst[2]}; undecided {undecided} (bar 0)")  # fmt: skip
    return median[0] <= 1e-3 and p99[0] <= 0.1 and worst[0] <= 2 and not undecided


def principals(policies: dict[str, dict[str, Any]]) -> bool:
    """Ask for whole principals: random mixes of managed policies, every other one of those that deny or except."""
    documents = {name: Document.parse(document) for name, document in sorted(policies.items())}
    every = list(documents)
    denying = [
        name
        for name, document in documents.items()
        if any(each.effect == "Deny" or each.not_action for each in document.statements)
    ]
    rng = random.Random(8)

    def some(*counts: int) -> list[Document]:
        return [documents[name] for name in rng.sample(denying if rng.random() < 0.5 else every, rng.choice(counts))]

    times: list[float] = []
    answers: Counter[bool | None] = Counter()
    for _ in range(759):
        new, old = some(1, 2, 3), some(1, 2, 5)
        if rng.random() < 0.6:
            old += new if rng.random() < 0.5 else new[:1]
        start = time.process_time()
        answers[no_new_access(new, old).holds] += 1
        times.append(time.process_time() - start)
    times.sort()
    print(f"no_new_access on {len(times)} principals of several managed policies: {dict(answers)}")
    print(
        f"  median {times[len(times) // 2] * 1e3:.2f} ms, p99 {times[int(len(times) * 0.99)] * 1e3:.0f} ms, max {times[-1]:.2f} s of CPU (bar 2)"
    )
    return times[-1] <= 2


def decisions(policies: dict[str, dict[str, Any]]) -> bool:
    """Decide requests of a role with ten typical policies."""
    identity = tuple(Document.parse(policies[name]) for name in TYPICAL)
    authorizer = Authorizer(Policies(identity=identity))
    role = "arn:aws:iam::123456789012:role/app"
    asked = [
        ("s3:GetObject", "arn:aws:s3:::bucket/{}"), ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/t{}"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:q{}"), ("s3:PutObject", "arn:aws:s3:::bucket/{}"),
        ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f{}:log-stream:x"),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/p{}"), ("ec2:DescribeInstances", "*"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{}"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:f{}"), ("kms:ListAliases", "*"),
    ]  # fmt: skip
    context = {"aws:SourceIp": "10.0.0.1", "aws:PrincipalAccount": "123456789012"}
    requests = [
        Request(role, action, resource.format(number), context)
        for number, (action, resource) in zip(range(100_000), itertools.cycle(asked), strict=False)
    ]
    start = time.perf_counter()
    answers = Counter(authorizer.decide(request).effect for request in requests)
    rate = len(requests) / (time.perf_counter() - start)
    print(f"evaluate, ten typical policies: {rate:,.0f} decisions/s (bar 50,000): {dict(answers)}")
    return rate >= 50_000


def imports() -> bool:
    """Load the language in a fresh interpreter, three times; the least time counts."""
    code = (
        "import time; t = time.perf_counter(); import trailfit.policy.containment, trailfit.policy.authorizer; "
        "print(time.perf_counter() - t)"
    )
    least = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )
    print(f"import trailfit.policy: {least:.3f} s (bar 0.1)")
    return least <= 0.1


def main() -> None:
    """Run all; exit 1 when a bar is missed."""
    policies = managed()
    met = [containment(policies), principals(policies), decisions(policies), imports()]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
