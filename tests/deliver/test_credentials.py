"""The scripts for unused credentials, run for real against IAM's stand-in: two stages, and the way back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.deliver import credentials

from . import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "123456789012"  # moto's own
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
SHIM = Path(__file__).with_name("aws_shim.py")


def finding(kind: str, user: str, resource: str | None = None) -> dict[str, Any]:
    return sample.finding(f"arn:aws:iam::{ACCOUNT}:user/{user}", kind, resource=resource)


def made(*findings: dict[str, Any], days: int = 30) -> dict[str, str]:
    return credentials.scripts({**sample.recommendations(), "findings": list(findings)}, days)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["shim", pytest.param("aws", marks=pytest.mark.slow)])
def aws(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> dict[str, str]:
    """The environment of the script: an `aws` on the path, and where it asks."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if request.param == "shim":
        (folder / "aws").write_text(f'#!/bin/sh\nexec {sys.executable} {SHIM} "$@"\n')
        (folder / "aws").chmod(0o755)
    elif shutil.which("aws") is None:
        pytest.skip("no AWS CLI on this machine")
    import os

    return {
        "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1",
        **{name: os.environ[name] for name in ("PYENV_ROOT", "NO_PROXY", "no_proxy") if name in os.environ},
    }  # fmt: skip


@pytest.fixture
def iam(endpoint: str) -> Any:
    import boto3
    import requests

    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    return boto3.client("iam", endpoint_url=endpoint, **keys)


@pytest.fixture
def script(aws: dict[str, str], tmp_path: Path) -> Callable[..., Callable[..., str]]:
    def write(*findings: dict[str, Any]) -> Callable[..., str]:
        [(name, text)] = made(*findings).items()
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

        def run(stage: str, *more: str, code: int = 0) -> str:
            command = ["bash", str(path), stage, *(more or ("--yes",))]
            done = subprocess.run(
                command, env=aws, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
            )
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout + done.stderr

        return run

    return write


def age(folder: Path, days: int) -> None:
    """Let the days pass: the note beside the script says when."""
    notes = folder / "credentials" / f"{ACCOUNT}.done"
    lines = [line.split(" ", 1) for line in notes.read_text().splitlines()]
    notes.write_text("".join(f"{int(when) - days * 86400} {what}\n" for when, what in lines))


@pytest.mark.parametrize("aws", ["shim"], indirect=True)
def test_a_key_becomes_inactive(iam: Any, script: Any) -> None:
    iam.create_user(UserName="marta")
    key = iam.create_access_key(UserName="marta")["AccessKey"]["AccessKeyId"]
    script(finding("UnusedIAMUserAccessKey", "marta", key))("deactivate")

    assert [one["Status"] for one in iam.list_access_keys(UserName="marta")["AccessKeyMetadata"]] == ["Inactive"]


@pytest.mark.slow
def test_a_key_is_deactivated_and_deleted_days_later(iam: Any, script: Any, tmp_path: Path) -> None:
    iam.create_user(UserName="marta")
    used, unused = (iam.create_access_key(UserName="marta")["AccessKey"]["AccessKeyId"] for _ in range(2))
    run = script(finding("UnusedIAMUserAccessKey", "marta", unused))

    def states() -> dict[str, str]:
        return {
            one["AccessKeyId"]: one["Status"] for one in iam.list_access_keys(UserName="marta")["AccessKeyMetadata"]
        }

    assert "stays" in run("delete")
    run("deactivate")
    assert states() == {used: "Active", unused: "Inactive"}
    assert "stays" in run("delete"), "not yet"
    run("undo")
    assert states() == {used: "Active", unused: "Active"}
    run("deactivate")
    run("deactivate")
    age(tmp_path, 31)
    run("delete")
    assert states() == {used: "Active"}
    assert "gone" in run("list")


@pytest.mark.slow
def test_a_key_that_somebody_made_active_again_stays(iam: Any, script: Any, tmp_path: Path) -> None:
    iam.create_user(UserName="marta")
    key = iam.create_access_key(UserName="marta")["AccessKey"]["AccessKeyId"]
    run = script(finding("UnusedIAMUserAccessKey", "marta", key))
    run("deactivate")
    iam.update_access_key(UserName="marta", AccessKeyId=key, Status="Active")
    age(tmp_path, 31)
    assert "stays: it is Active" in run("delete")


@pytest.mark.slow
def test_a_password_becomes_one_that_nobody_knows_and_goes(iam: Any, script: Any, tmp_path: Path) -> None:
    iam.create_user(UserName="marta")
    iam.create_login_profile(UserName="marta", Password="Old-password-1")
    run = script(finding("UnusedIAMUserPassword", "marta"))
    told = run("deactivate")
    assert "nobody knows" in told
    assert iam.get_login_profile(UserName="marta")
    assert "give a new one with" in run("undo")
    run("deactivate")
    age(tmp_path, 31)
    run("delete")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="marta")


@pytest.mark.slow
@pytest.mark.parametrize("aws", ["shim"], indirect=True)  # moto does not know all that the script asks of a user
def test_a_user_is_denied_everything_and_then_goes_with_all_that_is_its_own(
    iam: Any, script: Any, tmp_path: Path
) -> None:
    iam.create_user(UserName="old")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(UserName="old", GroupName="g")
    iam.put_user_policy(UserName="old", PolicyName="p", PolicyDocument=POLICY)
    key = iam.create_access_key(UserName="old")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="old", Password="Old-password-1")
    run = script(finding("UnusedIAMUser", "old"), finding("UnusedIAMUserAccessKey", "old", key))
    run("deactivate")
    document = iam.get_user_policy(UserName="old", PolicyName="trailfit-deactivated")["PolicyDocument"]
    assert document["Statement"] == [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    run("undo")
    assert iam.list_user_policies(UserName="old")["PolicyNames"] == ["p"]
    run("deactivate")
    age(tmp_path, 31)
    run("delete")
    assert iam.list_users()["Users"] == []


@pytest.mark.slow
def test_nothing_is_done_in_another_account_or_without_a_yes(iam: Any, script: Any, tmp_path: Path) -> None:
    iam.create_user(UserName="marta")
    key = iam.create_access_key(UserName="marta")["AccessKey"]["AccessKeyId"]
    run = script(finding("UnusedIAMUserAccessKey", "marta", key))
    run("deactivate", "--no", code=1)
    path = tmp_path / "credentials" / f"{ACCOUNT}.sh"
    path.write_text(path.read_text().replace(f'account="{ACCOUNT}"', 'account="111122223333"'))
    assert "not of 111122223333" in run("deactivate", code=2)
    assert "stage one" in run("nonsense", code=2)

    assert iam.list_access_keys(UserName="marta")["AccessKeyMetadata"][0]["Status"] == "Active"


HOSTILE = [
    *sample.HOSTILE, "$(touch owned)", "`touch owned`", "'; touch owned; '", "a b", "x\ntouch owned", "@ITEMS@", "-x", "",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_never_become_commands(name: str, tmp_path: Path) -> None:
    texts = made(
        finding("UnusedIAMUserAccessKey", "ok", "AKIAIOSFODNN7EXAMPLE"),
        finding("UnusedIAMUserAccessKey", "ok", name),
        finding("UnusedIAMUserPassword", name),
        finding("UnusedIAMUser", name),
    )
    [text] = texts.values()
    assert not set(text) & set("\x1b\x07\u202e\u202c\u2066\u2069\u200b\ufeff\r")
    path = tmp_path / "x.sh"
    path.write_bytes(text.encode())
    subprocess.run(["bash", "-n", str(path)], check=True)
    stub = "".join(f'{word}() {{ printf \'%s\\n\' "$#" "$@"; }}; ' for word in ("key", "password", "user"))
    items = text[text.index("everything() {") : text.index("\n}\n") + 3]
    done = subprocess.run(
        ["bash", "-c", f"{stub}{items}everything"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = done.stdout.splitlines()

    assert shown[:3] == ["2", "ok", "AKIAIOSFODNN7EXAMPLE"]
    assert all(line in ("1", "2", "ok", "AKIAIOSFODNN7EXAMPLE", "-x", "passwd", "@ITEMS@") for line in shown)
    assert not (tmp_path / "owned").exists()


def test_there_is_a_script_for_each_account_and_none_without_need() -> None:
    other = sample.finding("arn:aws:iam::111122223333:user/a", "UnusedIAMUserPassword")

    assert list(made(finding("UnusedIAMUser", "b"), other)) == [
        "credentials/111122223333.sh",
        f"credentials/{ACCOUNT}.sh",
    ]
    assert made(sample.finding(sample.ORDERS, "UnusedIAMRole")) == {}
    assert made(sample.finding("arn:aws:iam::111122223333:root", "UnusedIAMUserAccessKey", resource="AKIAIOSFODNN7EXAMPLE")) == {}  # fmt: skip


def test_the_days_between_the_stages_are_told() -> None:
    [text] = made(finding("UnusedIAMUser", "b"), days=45).values()

    assert 'days="45"' in text
    assert "45 days after stage one" in text
