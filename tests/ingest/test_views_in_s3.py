"""The views of a lake in S3 are those of the same lake in a folder."""

from trailfit import views
from trailfit.lake import Lake


def test_a_lake_in_s3_has_the_same_views(demo, s3):
    s3.make("views")
    days = sorted({path.name for path in (demo / "lake" / "units").rglob("*.json")})[:3]
    for path in sorted((demo / "lake").rglob("*.*")):
        of_unit = "date=" in str(path) and not any(day.removesuffix(".json") in str(path) for day in days)
        if path.is_file() and not of_unit:
            s3.client.put_object(Bucket="views", Key=f"lake/{path.relative_to(demo / 'lake')}", Body=path.read_bytes())
    theirs, ours = Lake("s3://views/lake").connect(), Lake(demo / "lake").connect()

    for name in ("units", "coverage", *views.COLUMNS):
        columns = "select columns(*)::varchar from"
        among = f"where date <= date '{days[-1].removeprefix('date=')[:10]}'" if name in ("units", "coverage") else ""
        digest = "select count(*), bit_xor(hash(row)) from ({} {} {}) as row"

        found = theirs.execute(digest.format(columns, name, "")).fetchone()
        assert found == ours.execute(digest.format(columns, name, among)).fetchone(), name
        assert found > (0,), name
