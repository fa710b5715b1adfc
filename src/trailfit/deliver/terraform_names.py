"""What Terraform's expressions may come out as, and which of a file's own expressions stand for an ARN."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailfit.deliver.hcl import SOURCE
from trailfit.deliver.references import ANYTHING, Template, key_of
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRAVERSAL = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]\"*-]*")
_INTERPOLATION = re.compile(r"(?<![$%])\$\{([^{}]*)\}")


class Names(Template):
    """What Terraform's expressions may come out as; no expression is invented, only those of the file are used."""

    def __init__(self, account: str, bound: Mapping[str, str] | None = None) -> None:
        super().__init__(None, account, dict(bound or {}))

    def pattern(self, value: Any) -> str | None:
        """Return a regular expression of the texts that an expression may come out as."""
        if isinstance(value, str):
            return re.escape(value)
        source = value.get(SOURCE) if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(source, str):
            return None
        if not source.startswith('"'):
            return self._reference(source)
        parts, at = [], 1
        for found in _INTERPOLATION.finditer(source):
            inner = self._reference(found.group(1).strip())
            if inner is None:
                return None
            parts += [re.escape(source[at : found.start()].replace("$${", "${")), f"(?:{inner})"]
            at = found.end()
        return "".join([*parts, re.escape(source[at:-1].replace("$${", "${"))])

    def _reference(self, source: str) -> str | None:
        known = self.bound.get(key_of({SOURCE: source}))
        if known is not None:
            return re.escape(known)
        if re.fullmatch(r"data\.aws_caller_identity\.\w+\.account_id", source):
            return re.escape(self.account)
        return ANYTHING if _TRAVERSAL.fullmatch(source) else None

    def express(self, text: str, *, literal_account: bool) -> Any:
        """Return the file's own expression for an ARN; raises `EditError` where its account would be written out."""
        exact = next((key for key, known in sorted(self.bound.items()) if known == text), None)
        if exact is not None:
            return self.restore(text)
        for key, known in sorted(self.bound.items(), key=lambda found: (-len(found[1]), found[0])):
            source = re.fullmatch(r'\{"Fn::Hcl": "(.*)"\}', key)
            bare = source.group(1) if source else ""
            if (
                _TRAVERSAL.fullmatch(bare)
                and known.startswith("arn:")
                and re.fullmatch(r"[/:*].*", text.removeprefix(known))
            ):
                return {SOURCE: f'"${{{bare}}}{text.removeprefix(known)}"'}
        if self.account and f":{self.account}:" in text and not literal_account:
            raise EditError("the account's number would be written out, which these files do not do")
        return text
