"""The inventory against moto: an AWS that somebody else wrote."""

import json
import socket
import subprocess
import sys
import time

import pytest

from tests.inventory import account_files
from trailfit.inventory import from_aws
from trailfit.inventory.settings import Settings

ACCOUNT = "123456789012"
#: What moto does not have: https://docs.getmoto.org/en/latest/docs/services/iam.html
MISSING = "iam:GenerateServiceLastAccessedDetails"


@pytest.fixture(scope="module")
def moto():
    """A server in a process of its own: moto's accounts and its authentication switch are a process's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def snapshot(moto, session, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    own = session()
    iam = own.client("iam")
    allow = json.dumps(account_files.ALLOW)
    policy = iam.create_policy(PolicyName="orders", PolicyDocument=allow)["Policy"]["Arn"]
    bound = iam.create_policy(PolicyName="bound", PolicyDocument=allow)["Policy"]["Arn"]
    iam.create_role(
        RoleName="fn", Path="/app/", AssumeRolePolicyDocument=json.dumps(account_files.TRUST), PermissionsBoundary=bound
    )
    iam.attach_role_policy(RoleName="fn", PolicyArn=policy)
    iam.put_role_policy(RoleName="fn", PolicyName="own", PolicyDocument=allow)
    iam.create_group(GroupName="devs")
    iam.put_group_policy(GroupName="devs", PolicyName="read", PolicyDocument=allow)
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    organizations = own.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    taken = from_aws.take(own, Settings(regions=("eu-west-1",), attempts=1), tmp_path / "w", lambda text: None)
    return taken.snapshot, key


def test_moto_and_the_snapshot_agree(snapshot):
    found, key = snapshot
    role, user = found.principals

    assert role.arn == f"arn:aws:iam::{ACCOUNT}:role/app/fn"
    assert [(p.kind, p.name, p.document is not None) for p in role.policies] == [
        ("inline", "own", True),
        ("customer_managed", "orders", True),
    ]
    assert role.boundary is not None
    assert role.boundary.name == "bound"
    assert [(p.kind, p.name) for p in user.policies] == [("group_inline", "read")]
    assert [(c.kind, c.id, c.active) for c in user.credentials] == [("access_key", key, True)]
    assert user.credentials_known
    assert found.guardrails[0].scp == ()
    assert [one.reason.split(" was ")[0] for one in found.unassessed if one.reason.startswith("iam:")] == [MISSING]
