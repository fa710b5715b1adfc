"""The lake: Parquet by account and day, its units and snapshots; commit; open in DuckDB.

::

    LAKE/events/account=111122223333/date=2026-10-31/part-0-of-1.parquet   one row an event
    LAKE/usage/…                                                          the daily rollup
    LAKE/skipped/…                                                        what could not be read, and why
    LAKE/units/account=111122223333/date=2026-10-31.json                  the manifest: sources, counts, parts
    LAKE/snapshots/20261031T080000Z/snapshot.json                         and small tables beside it: `views`

A unit is what its manifest says: writing the manifest is the commit, and trailfit's own readers open exactly the
parts that manifests name. Parts are buckets of event IDs, so replacing them one by one never shows an outsider an
event twice or not at all while their number stays the same. The same layout lies in a folder or in S3.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trailfit.errors import LakeError
from trailfit.storage.places import BucketStorage, FolderStorage, open_storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

    from trailfit.model import Unit

FORMAT = 1

#: The account of events and objects that name none, and the day of objects that hold no event.
UNKNOWN_ACCOUNT = "unknown"
NO_DAY = date.min

Table = Literal["events", "usage", "skipped"]
TABLES: tuple[Table, ...] = ("events", "usage", "skipped")

_TEXT = "VARCHAR"
_USE = "STRUCT(action VARCHAR, resource VARCHAR, role VARCHAR, basis VARCHAR, context VARCHAR)"
#: Columns of each table in their order, with DuckDB's type names. `account` and `date` are in the path.
COLUMNS: dict[Table, dict[str, str]] = {
    "events": {
        "event_id": _TEXT, "event_time": "TIMESTAMP", "region": _TEXT, "event_source": _TEXT, "event_name": _TEXT,
        "event_category": _TEXT, "event_type": _TEXT, "data_type": _TEXT, "read_only": "BOOLEAN", "principal": _TEXT,
        "principal_kind": _TEXT, "session": _TEXT, "access_key_id": _TEXT, "outcome": _TEXT, "error_code": _TEXT,
        "error_message": _TEXT, "counts_as_use": "BOOLEAN", "why": _TEXT, "source_ip": _TEXT, "user_agent": _TEXT,
        "invoked_by": _TEXT, "shared_event_id": _TEXT, "request_parameters": _TEXT, "uses": f"{_USE}[]",
        "record_check": "BIGINT", "source_object": _TEXT,
    },
    "usage": {
        "region": _TEXT, "event_source": _TEXT, "event_name": _TEXT, "event_category": _TEXT, "data_type": _TEXT,
        "read_only": "BOOLEAN", "principal": _TEXT, "principal_kind": _TEXT, "access_key_id": _TEXT, "action": _TEXT,
        "resource": _TEXT, "role": _TEXT, "basis": _TEXT, "context": _TEXT, "outcome": _TEXT,
        "counts_as_use": "BOOLEAN", "why": _TEXT, "shared": "BOOLEAN", "calls": "BIGINT", "first_used": "TIMESTAMP",
        "last_used": "TIMESTAMP", "example_event": _TEXT,
    },
    "skipped": {"object": _TEXT, "record": "BIGINT", "reason": _TEXT},
}  # fmt: skip


class Source(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A log object that a unit holds records of: its version, and how many of its records fell into this unit.

    `units` are all units that the object has records for, when not just this one; `regions` the only regions
    taken from it (None: all); `skipped` the pieces of it that were no readable record (at its home unit only).
    """

    uri: str
    etag: str
    size: int
    records: int = 0
    units: tuple[str, ...] = ()
    regions: tuple[str, ...] | None = None
    skipped: int = 0


class Part(msgspec.Struct, frozen=True):
    """One Parquet file of a unit."""

    name: str
    size: int
    rows: int


class Manifest(msgspec.Struct, frozen=True):
    """What a unit is: its sources, counts and parts. records = rows + duplicates."""

    format: int
    account: str
    day: str
    catalog: str
    records: int
    rows: int
    duplicates: int
    conflicts: int
    first: str | None
    last: str | None
    sources: tuple[Source, ...]
    events: tuple[Part, ...]
    usage: tuple[Part, ...]
    skipped: tuple[Part, ...]

    @property
    def unit(self) -> Unit:
        """The account and day."""
        # All of the model is loaded with it, which an ingest that finds nothing new does without.
        from trailfit.model import Unit

        return Unit(self.account, date.fromisoformat(self.day))

    def parts(self, table: Table) -> tuple[Part, ...]:
        """Give the parts of one table."""
        return {"events": self.events, "usage": self.usage, "skipped": self.skipped}[table]


_decode_manifest = msgspec.json.Decoder(Manifest).decode


class Lake:
    """A lake in a folder or in S3. Opening one that does not exist yet is no error until it is read."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(root).rstrip("/") or "/"
        self.storage = open_storage(self.root)

    # --- units --------------------------------------------------------------------------------------------

    def manifests(self) -> list[Manifest]:
        """Read every unit's manifest, sorted by account and day. Raises LakeError for a damaged or newer one."""
        paths = [path for path, _ in self.storage.walk("units") if path.endswith(".json") and "/." not in path]
        if isinstance(self.storage, BucketStorage) and len(paths) > 8:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(16) as pool:
                return sorted(pool.map(self._read_manifest, paths), key=lambda found: (found.account, found.day))
        return sorted((self._read_manifest(path) for path in paths), key=lambda found: (found.account, found.day))

    def manifest(self, unit: Unit) -> Manifest | None:
        """Read one unit's manifest; None where the lake does not hold it."""
        path = manifest_path(unit)
        return self._read_manifest(path) if self.storage.read(path) is not None else None

    def _read_manifest(self, path: str) -> Manifest:
        data = self.storage.read(path)
        try:
            manifest = _decode_manifest(data or b"")
        except msgspec.MsgspecError as problem:
            hint = "delete it, and the next ingest makes the unit anew"
            raise LakeError(f"damaged manifest: {problem}", where=f"{self.root}/{path}", hint=hint) from problem
        if manifest.format != FORMAT:
            hint = f"this trailfit reads format {FORMAT}"
            raise LakeError(f"the lake's format is {manifest.format}", where=f"{self.root}/{path}", hint=hint)
        return manifest

    def units(self) -> list[Unit]:
        """List the units that hold events, sorted."""
        return [manifest.unit for manifest in self.manifests() if manifest.rows]

    def accounts(self) -> list[str]:
        """List the accounts that have events, sorted."""
        return sorted({unit.account for unit in self.units()})

    def days(self) -> tuple[date, date] | None:
        """Tell the first and the last day that has events; None when the lake holds none."""
        days = [unit.day for unit in self.units()]
        return (min(days), max(days)) if days else None

    def commit(self, manifest: Manifest, staged: Path, previous: Manifest | None) -> None:
        """Make a unit visible: its parts from the folder `staged` (``events/…``, ``usage/…``), then its manifest.

        A table without a folder there stays as it is. Killed at any moment, the lake still reads as before or as after.
        Left-over parts of `previous` are removed last, and by `sweep` where that did not happen.
        """
        for table in TABLES:
            folder = unit_path(table, manifest.unit)
            parts = manifest.parts(table)
            if not (staged / table).is_dir():
                continue
            fresh = previous is None or not previous.parts(table)
            if (
                fresh
                and parts
                and isinstance(self.storage, FolderStorage)
                and self._rename_folder(staged / table, folder)
            ):
                continue
            for part in parts:
                self.storage.put_file(f"{folder}/{part.name}", staged / table / part.name)
        self.storage.write(manifest_path(manifest.unit), msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        if previous is not None:
            kept = set(part_paths(manifest))
            self.storage.delete(path for path in part_paths(previous) if path not in kept)

    def _rename_folder(self, staged: Path, folder: str) -> bool:
        """Move a whole folder of parts into place at once; False when something is there already."""
        target = Path(self.root) / folder
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            staged.rename(target)
        except OSError:
            return False
        return True

    def sweep(self, manifests: Iterable[Manifest]) -> set[Unit]:
        """Delete what a killed ingest left behind; return the units whose parts are not what their manifest says.

        Only for the holder of the lock.
        """
        expected = {
            f"{_folder(t, m.account, m.day)}/{p.name}": (p.size, m)
            for m in manifests
            for t in TABLES
            for p in m.parts(t)
        }
        present: dict[str, int] = {}
        for table in TABLES:
            present.update(self.storage.walk(table))
        self.storage.delete(path for path in present if path not in expected)
        self.storage.delete([path for path, _ in self.storage.walk("units") if not path.endswith(".json")])
        if isinstance(self.storage, FolderStorage):
            self.storage.remove_tree(".staging")
        return {manifest.unit for path, (size, manifest) in expected.items() if present.get(path) != size}

    @contextlib.contextmanager
    def lock(self, wait: float = 0.0) -> Iterator[None]:
        """Hold the lake for writing. Raises LakeError when another ingest holds it for longer than `wait` seconds."""
        from trailfit.storage.lock import hold

        with hold(self.storage, wait):
            yield

    # --- reading ------------------------------------------------------------------------------------------

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open the lake in DuckDB: views `events`, `usage`, `skipped` and `units` over the units committed so far.

        And over what lies beside them (`trailfit.views`): `principals`, `policies`, `credentials`, `functions` of the
        newest snapshot, `permissions` and `findings` of the newest judgement, `coverage` by day.
        `account` is text and `date` a DATE in each; times are TIMESTAMP in UTC.
        """
        import duckdb

        from trailfit import views

        manifests = self.manifests()
        con = duckdb.connect(":memory:")
        con.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            files = [
                f"{self.root}/{unit_path(table, m.unit)}/{part.name}" for m in manifests for part in m.parts(table)
            ]
            self._create_view(con, table, files)
        _create_units(con, manifests)
        views.create(con, self.storage)
        return con

    def _create_view(self, con: duckdb.DuckDBPyConnection, table: Table, files: list[str]) -> None:
        columns = ", ".join(COLUMNS[table])
        if not files:
            empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in COLUMNS[table].items())
            con.execute(
                f"CREATE VIEW {table} AS SELECT {empty}, NULL::VARCHAR AS account, NULL::DATE AS date WHERE false"
            )
        elif isinstance(self.storage, BucketStorage):
            con.register(f"_{table}", _bucket_dataset(self.storage, table, files))
            con.execute(f"CREATE VIEW {table} AS SELECT {columns}, account, date::DATE AS date FROM _{table}")  # noqa: S608 - names of our own
        else:
            listed = ", ".join(f"'{_escape_glob(file)}'" for file in files)
            con.execute(
                f"CREATE VIEW {table} AS SELECT {columns}, account, date FROM read_parquet([{listed}], "  # noqa: S608 - paths are quoted
                "hive_partitioning = true, hive_types = {'account': VARCHAR, 'date': DATE})"
            )

    # --- snapshots ----------------------------------------------------------------------------------------

    def write_snapshot(self, snapshot: dict[str, Any], taken: datetime) -> str:
        """Store an inventory snapshot under the time it was taken (UTC); return its path."""
        stamp = taken.astimezone(UTC) if taken.tzinfo else taken
        path = f"snapshots/{stamp:%Y%m%dT%H%M%SZ}/snapshot.json"
        self.storage.write(path, json.dumps(snapshot, indent=1, sort_keys=True, ensure_ascii=False).encode())
        return path

    def read_snapshot(self) -> dict[str, Any] | None:
        """Read the newest snapshot; None where there is none."""
        paths = sorted(path for path, _ in self.storage.walk("snapshots") if path.endswith("/snapshot.json"))
        data = self.storage.read(paths[-1]) if paths else None
        if data is None:
            return None
        snapshot: dict[str, Any] = json.loads(data)
        return snapshot


def _create_units(con: duckdb.DuckDBPyConnection, manifests: list[Manifest]) -> None:
    con.execute(
        "CREATE TEMP TABLE units AS SELECT unnest($1::VARCHAR[]) AS account, unnest($2::DATE[]) AS date, "
        "unnest($3::VARCHAR[]) AS catalog, unnest($4::BIGINT[]) AS records, unnest($5::BIGINT[]) AS events, "
        "unnest($6::BIGINT[]) AS duplicates, unnest($7::BIGINT[]) AS conflicts, unnest($8::BIGINT[]) AS sources",
        [
            [m.account for m in manifests],
            [m.unit.day for m in manifests],
            [m.catalog for m in manifests],
            [m.records for m in manifests],
            [m.rows for m in manifests],
            [m.duplicates for m in manifests],
            [m.conflicts for m in manifests],
            [len(m.sources) for m in manifests],
        ],
    )


def unit_path(table: Table, unit: Unit) -> str:
    """Name the folder of a unit in one table: hive-partitioned, the account as text."""
    return _folder(table, unit.account, unit.day.isoformat())


def _folder(table: Table, account: str, day: str) -> str:
    return f"{table}/account={account}/date={day}"


def manifest_path(unit: Unit) -> str:
    """Name a unit's manifest."""
    return f"units/account={unit.account}/date={unit.day.isoformat()}.json"


def part_paths(manifest: Manifest) -> list[str]:
    """List the paths of all parts of a unit."""
    return [f"{unit_path(table, manifest.unit)}/{part.name}" for table in TABLES for part in manifest.parts(table)]


def _escape_glob(path: str) -> str:
    """Write a path as a DuckDB string in which no character is a wildcard."""
    escaped = "".join(f"[{char}]" if char in "*?[" else char for char in os.fspath(path))
    return escaped.replace("'", "''")


def _bucket_dataset(storage: BucketStorage, table: Table, files: list[str]) -> Any:
    """Open parts in S3 as a pyarrow dataset: DuckDB's own S3 reader is an extension that must be downloaded."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    from trailfit.storage.places import arrow_filesystem

    partitioning = ds.partitioning(pa.schema([("account", pa.string()), ("date", pa.string())]), flavor="hive")
    return ds.dataset(
        [file.removeprefix("s3://") for file in files],
        filesystem=arrow_filesystem(storage.bucket),
        format="parquet",
        partitioning=partitioning,
        partition_base_dir=f"{storage.root.removeprefix('s3://')}/{table}",
    )
