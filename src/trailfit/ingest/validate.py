"""``--validate``: follow the digest files of a source and say what was altered, deleted or never vouched for."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trailfit.cloudtrail.digest import Digest, LogFile, Tampering, check_chain, check_log, check_signature, parse
from trailfit.errors import SourceError
from trailfit.ingest.keys import describe
from trailfit.ingest.source import open_source
from trailfit.ingest.unnamed import Span, Trail, trail_of, unnamed
from trailfit.model import Unassessed
from trailfit.storage.places import bucket_store, client, split_uri, why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.ingest.selection import Selection

_READERS = 16
_DIGEST = re.compile(
    r"(?P<account>\d{12})_CloudTrail-Digest_(?P<region>[a-z0-9-]+?-\d)_(?P<trail>.+)_[a-z0-9-]+?-\d_"
    r"\d{8}T\d{6}Z(?P<backfill>_backfill)?\.json\.gz\Z"
)


@dataclass(slots=True)
class Validated:
    """What following the digests found."""

    digests: int = 0
    logs: int = 0
    findings: list[Tampering] = field(default_factory=list)
    problems: list[Unassessed] = field(default_factory=list)


class _Place(Protocol):
    #: Whether an object's metadata, where a digest's signature lies, can be read here.
    has_metadata: bool

    def digests(self, selection: Selection) -> Iterator[str]: ...
    def read(self, name: str) -> tuple[bytes, str | None] | None: ...
    def near(self, digest: Digest, at: str, log: LogFile) -> str: ...


def validate(source: str, selection: Selection, keys: dict[str, bytes] | None, *, payer: bool = False) -> Validated:
    """Follow all digests of one source, and look for log files that none of them names.

    `keys` are DER public keys by fingerprint; None asks CloudTrail for them. Raises SourceError when the keys or the
    digests cannot be had.
    """
    place: _Place = _BucketPlace(source, payer=payer) if source.startswith("s3://") else _FolderPlace(source)
    result = Validated()
    chains: dict[tuple[str, ...], list[tuple[str, Digest, str | None]]] = defaultdict(list)
    for name in sorted(place.digests(selection)):
        found = place.read(name)
        if found is None:
            continue
        result.digests += 1
        try:
            digest = parse(found[0])
        except ValueError as problem:
            result.findings.append(Tampering("UnreadableDigest", name, str(problem)))
            continue
        chains[_chain_of(name)].append((name, digest, found[1]))
    if result.digests == 0:
        result.problems.append(
            Unassessed(source, "no digest file: validation was not on, or its digests are elsewhere")
        )
        return result
    if keys is None:
        keys = _listed_keys(chains)
    for chain in sorted(chains):
        links = sorted(chains[chain], key=lambda link: (link[1].end, link[0]))
        signatures = _signatures(links)
        for name, digest, _ in links:
            if name not in signatures and not place.has_metadata:
                why_not = (
                    "its signature lies in its S3 metadata, which a folder does not hold; those before it were checked"
                )
                result.problems.append(Unassessed(name, why_not))
                continue
            result.findings += check_signature(digest, name if place.has_metadata else "", signatures.get(name), keys)
        if "backfill" not in chain:
            result.findings += check_chain([(digest, signatures.get(name)) for name, digest, _ in links])
    logs = [
        (place.near(d, name, log), log) for chain in sorted(chains) for name, d, _ in chains[chain] for log in d.logs
    ]
    result.logs = len(logs)
    with ThreadPoolExecutor(_READERS) as pool:
        for outcome in pool.map(lambda one: _check(place, *one), logs):
            if isinstance(outcome, Unassessed):
                result.problems.append(outcome)
            elif outcome is not None:
                result.findings.append(outcome)
    spans: dict[Trail, list[Span]] = defaultdict(list)
    for links in chains.values():
        for name, digest, _ in links:
            spans[trail_of(name)].append((digest.start, digest.end))
    found_unnamed, unsaid = unnamed(open_source(source, payer=payer), selection, {name for name, _ in logs}, spans)
    result.findings += found_unnamed
    result.problems += unsaid
    return result


def _check(place: _Place, name: str, log: LogFile) -> Tampering | Unassessed | None:
    """Check one log file; one that cannot be had is no sign of tampering."""
    try:
        data = place.read(name)
    except SourceError as problem:
        return Unassessed(name, str(problem))
    return check_log(log, data[0] if data else None)


def read_keys(path: str) -> dict[str, bytes]:
    """Read public keys from a file: what ``aws cloudtrail list-public-keys`` prints. Raises SourceError for others."""
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))["PublicKeyList"]
        return {str(key["Fingerprint"]): base64.b64decode(key["Value"], validate=True) for key in listed}
    except OSError as problem:
        raise SourceError(problem.strerror or str(problem), where=path) from problem
    except (ValueError, KeyError, TypeError) as problem:
        hint = "write it with: aws cloudtrail list-public-keys --start-time … --end-time …"
        raise SourceError("not a list of CloudTrail public keys", where=path, hint=hint) from problem


def _signatures(links: list[tuple[str, Digest, str | None]]) -> dict[str, str]:
    """Find each digest's signature: its object's own, else the one that the digest after it repeats."""
    repeated = {
        f"{d.previous_bucket}/{d.previous_key}": d.previous_signature for _, d, _ in links if d.previous_signature
    }
    found: dict[str, str] = {}
    for name, digest, own in links:
        signature = own or repeated.get(f"{digest.bucket}/{digest.key}")
        if signature:
            found[name] = signature
    return found


def _listed_keys(chains: dict[tuple[str, ...], list[tuple[str, Digest, str | None]]]) -> dict[str, bytes]:
    """Ask CloudTrail in each region for the keys of the digests' time."""
    from botocore.exceptions import BotoCoreError, ClientError

    keys: dict[str, bytes] = {}
    spans: dict[str, list[str]] = defaultdict(list)
    for chain, links in chains.items():
        spans[chain[1]] += [time for _, digest, _ in links for time in (digest.start, digest.end)]
    for region, times in sorted(spans.items()):
        try:
            pages = client("cloudtrail", region).get_paginator("list_public_keys")
            for page in pages.paginate(StartTime=min(times), EndTime=max(times)):
                keys |= {key["Fingerprint"]: bytes(key["Value"]) for key in page["PublicKeyList"]}
        except (BotoCoreError, ClientError) as problem:
            hint = "allow cloudtrail:ListPublicKeys, or give the keys with --public-keys FILE"
            raise SourceError(str(problem), where=f"CloudTrail in {region}", hint=hint) from problem
    return keys


def _chain_of(name: str) -> tuple[str, ...]:
    """Tell which trail's chain a digest belongs to: account, region, trail; backfills stand beside the chain."""
    found = _DIGEST.search(name)
    if found is None:
        return ("", "", name.rpartition("/")[0])
    return (found["account"], found["region"], found["trail"], *(("backfill",) if found["backfill"] else ()))


def _is_asked(name: str, selection: Selection) -> bool:
    key = describe(name)
    return key.kind == "CloudTrail-Digest" and selection.takes_key(key)


class _FolderPlace:
    """A folder that a bucket was copied to: signatures are lost, unless ``NAME.signature`` lies beside a digest."""

    has_metadata = False

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def digests(self, selection: Selection) -> Iterator[str]:
        for path in sorted(self._root.rglob("*CloudTrail-Digest*.json.gz")):
            if _is_asked(path.as_posix(), selection):
                yield str(path)

    def read(self, name: str) -> tuple[bytes, str | None] | None:
        path = Path(name)
        beside = path.with_name(f"{path.name}.signature")
        try:
            signature = beside.read_text(encoding="ascii", errors="replace").strip() if beside.is_file() else None
            return path.read_bytes(), signature
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise SourceError(problem.strerror or str(problem), where=name) from problem

    def near(self, digest: Digest, at: str, log: LogFile) -> str:
        """Find a log file that a digest names: it lies as far from the digest as in the bucket."""
        root = at.removesuffix(digest.key) if at.endswith(digest.key) else f"{self._root}/"
        return f"{root}{log.key}"


class _BucketPlace:
    """A bucket or a prefix of it; signatures lie in the digests' metadata."""

    has_metadata = True

    def __init__(self, uri: str, *, payer: bool) -> None:
        self._bucket, self._prefix = split_uri(uri)
        self._payer = payer

    def digests(self, selection: Selection) -> Iterator[str]:
        import obstore

        try:
            for chunk in obstore.list(
                bucket_store(self._bucket, request_payer=self._payer), prefix=self._prefix or None
            ):
                yield from (f"{self._bucket}/{item['path']}" for item in chunk if _is_asked(item["path"], selection))
        except Exception as problem:
            raise SourceError(why(problem), where=f"s3://{self._bucket}/{self._prefix}") from problem

    def read(self, name: str) -> tuple[bytes, str | None] | None:
        import obstore

        bucket, _, key = name.partition("/")
        try:
            found: Any = obstore.get(bucket_store(bucket, request_payer=self._payer), key)
            attributes = found.attributes
            return bytes(found.bytes()), attributes.get("signature") or attributes.get("x-amz-meta-signature")
        except FileNotFoundError:
            return None
        except Exception as problem:
            raise SourceError(why(problem), where=f"s3://{name}") from problem

    def near(self, digest: Digest, at: str, log: LogFile) -> str:  # noqa: ARG002 - the place where it was is its name
        return f"{log.bucket}/{log.key}"
