"""The bars of the mapping, on AWS's own words: what an event needs, and on which ARN."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from trailfit.catalog import actions
from trailfit.cloudtrail.envelope import Unreadable, records
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record

ROOT = Path(__file__).parents[2]
AWS_OWN = ("A-", "B-service-reference", "C-")


@pytest.fixture(scope="module")
def reference():
    folder = Path(os.environ.get("TRAILFIT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder} (TRAILFIT_REFERENCE)")
    return folder


def rows(folder, name):
    return [json.loads(line) for line in (folder / name).open(encoding="utf-8")]


def test_actions_meet_the_bars(reference):
    right, asked, wrong = Counter(), Counter(), []
    for row in rows(reference, "event_actions_check.jsonl"):
        event = understand(parse_record({"eventSource": row["event_source"], "eventName": row["event_name"]}))
        found = {use.action for use in event.uses}
        needed = [set(each.split("|")) for each in row["required"]]
        allowed = set(row["allowed_extra"]).union(*needed)
        good = all(found & each for each in needed) and found <= allowed and (bool(needed) or not found)
        for kind in ("all", "aws" if row["tier"].startswith(AWS_OWN) else "others", "none" if not needed else "some"):
            asked[kind] += 1
            right[kind] += good
        if not good:
            wrong.append((row["event_source"], row["event_name"], sorted(found), row["required"]))

    assert right["aws"] / asked["aws"] >= 0.99, wrong
    assert right["all"] / asked["all"] >= 0.98, wrong
    assert right["none"] == asked["none"], wrong


#: SSM's PutInventory takes no resource type (Service Authorization Reference), so a policy can only grant it on `*`;
#: that its event lists the instance does not change that.
TAKES_NO_RESOURCE = "ssm:PutInventory"


#: The resource as AWS's message words it, where that is no ARN: "user NAME", "instance profile NAME", "policy ARN
#: version V", a bare name. These are the ARNs of such resources by the Service Authorization Reference; a secret's
#: has six characters behind its name (https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html).
WORDS = re.compile(r"on resource: (?P<words>.+?) because no identity-based policy allows")
KINDS = {"user": "user", "role": "role", "group": "group", "policy": "policy", "instance profile": "instance-profile"}
BARE = {
    "config": "arn:aws:config:us-east-1::config-rule/{}",
    "secretsmanager": "arn:aws:secretsmanager:us-east-1::secret:{}-??????",
}


def _named(event, action, first_word):
    """The ARN that the words of the message name; the row has kept the first word of them."""
    words = WORDS.search(event["errorMessage"])["words"]
    assert words.startswith(first_word)
    if arn := re.search(r"arn:\S+", words):
        return re.sub(r":\d{12}:", "::", arn[0])
    kind, _, name = words.rpartition(" ")
    return f"arn:aws:iam:::{KINDS[kind]}/{name}" if kind else BARE[action.partition(":")[0]].format(name)


def test_resources_meet_the_bar(reference):
    """Every (action, ARN) expected is found; account IDs are redacted there and are left out."""
    cut, missing, asked = 0, [], 0
    for row in rows(reference, "event_resources_check.jsonl"):
        event = understand(parse_record(row["event"]))
        found = {(use.action, re.sub(r":\d{12}:", "::", use.resource)) for use in event.uses}
        for expected in row["expect"]:
            action, resource = expected["action"], re.sub(r":\d{12}:", "::", expected["resource"])
            if resource != "*" and not resource.startswith("arn:"):
                cut += 1
                assert found == {(action, _named(row["event"], action, resource))}
                continue
            asked += 1
            if (action, resource) not in found and action != TAKES_NO_RESOURCE:
                missing.append((row["event"]["eventName"], action, resource, sorted(found)))
        if row.get("outcome"):
            assert event.outcome == {"authorized": "allowed"}.get(row["outcome"], row["outcome"])

    assert len(missing) / asked <= 0.02, missing
    assert cut < 60


def test_corpus_names_no_action_that_the_catalogue_lacks(corpus):
    read, starred, taking = 0, 0, 0
    for path in sorted((corpus / "cloudtrail").rglob("*")):
        if not path.is_file() or path.suffix in (".md", ".txt", ".rst"):
            continue
        for record in records(path.read_bytes(), path.name):
            if isinstance(record, Unreadable):
                continue
            event = understand(record)
            read += 1
            for use in event.uses:
                assert actions.canonical(use.action) == use.action
                assert use.resource == "*" or use.resource.startswith("arn:")
                if actions.resource_types(use.action):
                    taking += 1
                    starred += use.resource == "*"

    assert read > 900
    assert starred / taking < 0.1
