"""What `trailfit init` writes is whole, is what trailfit reads, and asks for no more than it needs."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from trailfit.cli import config
from trailfit.deliver.pull_requests import Settings
from trailfit.pipeline import Config

if TYPE_CHECKING:
    from pathlib import Path


def uncommented(text: str) -> str:
    """The file with every setting in force: what is commented out is a setting if it looks like one."""
    return re.sub(r"^# (?=[a-z_]+ = |\[\[)", "", text, flags=re.MULTILINE)


@pytest.fixture
def written(tmp_path: Path, trailfit: Any) -> Path:
    trailfit("init", tmp_path, "--lake", "s3://b/lake", "--source", "s3://b/AWSLogs")
    return tmp_path / "trailfit.toml"


def test_it_is_read_as_it_stands(written: Path) -> None:
    found = config.read(written)

    assert (found.lake, found.sources, found.repo) == ("s3://b/lake", ("s3://b/AWSLogs",), None)
    assert found.pull_request == Settings()


def test_every_setting_that_the_loader_knows_is_in_it(written: Path) -> None:
    told = tomllib.loads(uncommented(written.read_text()))
    from trailfit.cli import exclude

    assert set(told["exclude"][0]) == set(exclude._KEYS)
    tables = {
        "": told,
        **{name: value for name, value in told.items() if isinstance(value, dict)},
        "map": told["map"][0],
    }

    assert {name: set(table) for name, table in tables.items()} == {
        name: set(keys) for name, keys in config._KEYS.items()
    }


def test_what_it_shows_as_a_default_is_the_default(written: Path) -> None:
    written.write_text(uncommented(written.read_text()))
    found = config.read(written)
    shown = {**vars_of(found), **vars_of(found.pull_request)}
    defaults = {**vars_of(Config(lake="x")), **vars_of(Settings())}

    for name, value in defaults.items():
        if value not in (None, ()) and name not in ("lake", "out", "pull_request"):
            assert shown[name] == value, name
    assert found.out == written.parent / defaults["out"]


def vars_of(one: Any) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


def test_nothing_is_overwritten(written: Path, trailfit: Any) -> None:
    before = written.read_bytes()
    from trailfit.errors import UsageError

    done = trailfit("init", written.parent, "--github", code=None)

    assert isinstance(done.exception, UsageError)
    assert written.read_bytes() == before
    assert not (written.parent / ".github").exists()


def test_names_that_toml_must_escape_are_escaped(tmp_path: Path, trailfit: Any) -> None:
    trailfit("init", tmp_path, "--lake", 'a "b" \\ {c}', "--source", 'x"\n[pr]', "--repo", "r")
    told = tomllib.loads((tmp_path / "trailfit.toml").read_text())

    assert (told["lake"], told["ingest"]["sources"], told["pr"]) == ('a "b" \\ {c}', ['x"\n[pr]'], {"repo": "r"})


def test_the_workflow_for_github_asks_for_no_more_than_it_needs(tmp_path: Path, trailfit: Any) -> None:
    trailfit("init", tmp_path, "--github")
    told = yaml.safe_load((tmp_path / ".github" / "workflows" / "trailfit.yml").read_text())

    assert told["permissions"] == {}
    assert told["jobs"]["trailfit"]["permissions"] == {
        "id-token": "write", "contents": "write", "pull-requests": "write",
    }  # fmt: skip
    steps = told["jobs"]["trailfit"]["steps"]
    assert steps[0]["with"]["persist-credentials"] is False
    assert not re.search(r"AKIA|aws-secret-access-key|secrets\.AWS", str(told))
    scripts(step["run"] for step in steps if "run" in step)
    assert config.read(tmp_path / "trailfit.toml").repo == str(tmp_path)


def test_the_job_for_gitlab_is_a_schedule_s_and_takes_an_id_token(tmp_path: Path, trailfit: Any) -> None:
    trailfit("init", tmp_path, "--gitlab")
    job = yaml.safe_load((tmp_path / ".gitlab" / "trailfit.yml").read_text())["trailfit"]

    assert job["id_tokens"]["AWS_ID_TOKEN"]["aud"] == "https://sts.amazonaws.com"
    assert '$CI_PIPELINE_SOURCE == "schedule"' in job["rules"][0]["if"]
    scripts([*job["before_script"], *job["script"], *job["after_script"]])


def scripts(lines: Any) -> None:
    for line in lines:
        subprocess.run(["bash", "-n", "-c", line], check=True)
        assert "{" not in line
