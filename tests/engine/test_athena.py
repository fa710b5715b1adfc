"""The lake's tables in Athena's words."""

import re

import pytest

from trailfit import sql
from trailfit.engine import athena
from trailfit.errors import UsageError
from trailfit.lake import COLUMNS, Lake

sqlglot = pytest.importorskip("sqlglot", reason="the spark extra is not installed")


class InS3(Lake):
    """A lake in a folder under a name in S3: nothing is read from there."""

    def __init__(self, folder):
        super().__init__(folder)
        self.root = "s3://bucket/lake"


def test_every_table_has_its_columns_and_both_partitions(demo):
    _, *tables = athena.ddl(InS3(demo / "lake"), "trailfit")

    for (name, columns), text in zip(COLUMNS.items(), tables, strict=True):
        parsed = sqlglot.parse_one(text, read="athena")
        told = [column.name for column in parsed.find_all(sqlglot.exp.ColumnDef)]
        assert set(told) >= {*columns, "account", "date"}, name
        assert f"'s3://bucket/lake/{name}/account=${{account}}/date=${{date}}/'" in text


def test_partitions_are_projected_over_the_accounts_and_days_that_the_lake_holds(demo):
    lake = Lake(demo / "lake")
    text = athena.ddl(InS3(demo / "lake"), "trailfit")[1]

    assert set(lake.accounts()) <= set(re.search(r"account.values' = '([^']*)'", text)[1].split(","))
    assert f"'{lake.days()[0]},NOW'" in text


def test_a_lake_in_a_folder_or_an_empty_one_has_no_ddl(demo, tmp_path):
    with pytest.raises(UsageError, match="only from S3"):
        athena.ddl(Lake(demo / "lake"), "trailfit")
    with pytest.raises(UsageError, match="holds no event"):
        athena.ddl(InS3(tmp_path), "trailfit")


def test_a_database_is_a_plain_name(demo):
    with pytest.raises(UsageError, match="no name of a database"):
        athena.ddl(InS3(demo / "lake"), "x`; drop")


@pytest.mark.parametrize("name", sql.names())
def test_every_query_can_be_said_and_parsed_in_athenas_dialect(name):
    from trailfit.engine.dialect import to_athena

    assert sqlglot.parse_one(to_athena(sql.load(name).text), read="athena")
