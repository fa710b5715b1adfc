"""Spark gives what this machine gives: every query row for row, and an ingest byte for byte."""

import os
import shutil
import sys
from datetime import date

import pytest

from trailfit import sql
from trailfit.lake import Lake

pytest.importorskip("pyspark", reason="the spark extra is not installed")
pytestmark = pytest.mark.slow

#: What a query is asked, where its answer would otherwise be empty.
ASKED = {
    "timeline": {"principal": "arn:aws:iam::111122223333:user/alice"},
    "session_usage": {"principals": "arn:aws:iam::111122223333:role/service/catalogue-role\nnobody"},
    "grant_changes": {"events": "CreateRole,PutRolePolicy,UpdateFunctionConfiguration20150331v2"},
    "by_resource": {"resource": "arn:aws:s3:::*"},
    "first_seen": {"recent": "60"},
}


@pytest.fixture(scope="module")
def spark():
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine")
    from trailfit.engine.spark import Spark

    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with Spark("local[2]", {"spark.sql.shuffle.partitions": "2", "spark.ui.enabled": "false"}) as engine:
        yield engine


def rows(table):
    return [tuple(row.values()) for row in table.to_pylist()]


def test_every_query_gives_the_same_rows_on_both_engines(spark, demo):
    lake = Lake(demo / "lake")
    spark.view(lake)
    different = {}
    with lake.connect() as con:
        for name in sql.names():
            window = {"from_day": date(2026, 8, 3), "to_day": date(2026, 10, 31)}
            asked = {
                key: value
                for key, value in {**window, **ASKED.get(name, {})}.items()
                if key in sql.load(name).parameters
            }
            ours = rows(sql.run(con, name, **asked).to_arrow_table())
            theirs = rows(spark.query(name, **asked))
            if ours != theirs:
                first = next((pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]), None)
                different[name] = (len(ours), len(theirs), first)

    assert different == {}


def test_an_ingest_on_spark_makes_the_same_lake(spark, demo, tmp_path):
    from trailfit.ingest.run import run

    run([str(demo / "logs")], Lake(tmp_path / "here"))
    run([str(demo / "logs")], Lake(tmp_path / "there"), engine=spark)

    assert files(tmp_path / "there") == files(tmp_path / "here")


def files(lake):
    return {path.relative_to(lake).as_posix(): path.read_bytes() for path in sorted(lake.rglob("*")) if path.is_file()}
