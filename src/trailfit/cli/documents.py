"""Policy documents named on the command line: a file, a folder of files, or a principal of a snapshot."""

from __future__ import annotations

from pathlib import Path

from trailfit.errors import PolicyError, SourceError, UsageError
from trailfit.policy.document import Document


def folder_or_file(path: str) -> tuple[Document, ...]:
    """Read the document in a file, or all in the `.json` files below a folder, by name.

    Raises `PolicyError` for what is no policy document, `SourceError` for what cannot be read.
    """
    found = Path(path)
    return tuple(document(each) for each in files(found)) if found.is_dir() else (document(found),)


def files(folder: Path) -> list[Path]:
    """List the `.json` files below a folder; raises `SourceError` where there are none."""
    found = sorted(each for each in folder.rglob("*.json") if each.is_file())
    if not found:
        raise SourceError("no .json file below this folder", where=str(folder))
    return found


def document(path: Path) -> Document:
    """Read the document in one file."""
    try:
        return Document.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=str(path)) from error


def side(named: str) -> tuple[tuple[Document, ...], tuple[Document, ...] | None]:
    """Read what `check` compares, and its permissions boundary: a file, a folder, or `SNAPSHOT#ARN`.

    SNAPSHOT is what `trailfit inventory --from-files` takes: a file or folder with the account's authorization
    details; all policies of the principal are taken together.
    """
    path, hash_sign, arn = named.partition("#arn:")
    if not hash_sign or Path(named).exists():
        if not Path(named).exists():
            raise UsageError("no such file or folder", where=named)
        return folder_or_file(named), None
    from trailfit.inventory import from_files

    arn = f"arn:{arn}"
    principal = next((each for each in from_files.read(path).principals if each.arn == arn), None)
    if principal is None:
        raise UsageError(f"no principal {arn} in this snapshot", where=path)
    attached = [*principal.policies, *([principal.boundary] if principal.boundary else [])]
    for policy in attached:
        if policy.document is None:
            raise PolicyError(f"the snapshot does not hold the policy {policy.name}", where=named)
    boundary = principal.boundary.document if principal.boundary else None
    return (
        tuple(policy.document for policy in principal.policies if policy.document),
        None if boundary is None else (boundary,),
    )
