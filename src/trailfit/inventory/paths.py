"""JMESPath over AWS's answers: the one place that knows jmespath."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jmespath  # type: ignore[import-untyped]  # it comes with boto3

if TYPE_CHECKING:
    from collections.abc import Mapping


def search(expression: str, data: Mapping[str, Any]) -> Any:
    """Apply a JMESPath; None where the data is of another shape than AWS documents."""
    try:
        return _compiled(expression).search(data)
    except jmespath.exceptions.JMESPathError:
        return None


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)
