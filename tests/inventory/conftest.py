"""Credentials that only the fake takes, and nothing of this machine's own AWS configuration."""

from functools import cache

import boto3
import botocore.session
import pytest

from tests.inventory.fake_organisation import MANAGEMENT


@cache
def _loader():
    return botocore.session.get_session().get_component("data_loader")


@pytest.fixture
def session():
    """Make sessions that share what botocore read of its service models: they read a second of it each else."""

    def make():
        inner = botocore.session.get_session()
        inner.register_component("data_loader", _loader())
        return boto3.Session(botocore_session=inner, region_name="eu-west-1")

    return make


@pytest.fixture
def no_backoff(monkeypatch):
    """Wait for no backoff of botocore's: the fake throttles by count, not by time."""
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture(autouse=True)
def _no_aws_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{MANAGEMENT}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
