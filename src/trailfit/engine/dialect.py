"""The queries in other dialects of SQL: transpiled by sqlglot, with the few rules that it does not know.

A query is written once, in DuckDB's dialect. What sqlglot gets silently wrong for Spark is put right here, and
tests/engine/test_spark.py runs every query on both engines over one lake and compares the rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp


def to_spark(text: str) -> str:
    """Write a query in Spark's dialect; parameters become ``:name``. Raises UsageError for what Spark cannot say."""
    return _written(_tree(text).transform(_for_spark), "spark")


def to_athena(text: str) -> str:
    """Write a query in Athena's dialect (Trino), parameters as ``:name``; parsed here, and never run."""
    return _written(_tree(text), "athena")


def column_type(kind: str, types: Mapping[str, str]) -> str:
    """Write a column's type of the lake (`trailfit.lake.COLUMNS`) in Hive's form, its plain types by `types`.

    >>> column_type("STRUCT(action VARCHAR, at BIGINT)[]", {"VARCHAR": "string", "BIGINT": "bigint"})
    'array<struct<action:string,at:bigint>>'
    """
    if kind.endswith("[]"):
        return f"array<{column_type(kind[:-2], types)}>"
    if kind.startswith("STRUCT("):
        fields = (field.split() for field in kind[7:-1].split(", "))
        return f"struct<{','.join(f'{name}:{column_type(of, types)}' for name, of in fields)}>"
    return types[kind]


def _tree(text: str) -> exp.Expr:
    try:
        import sqlglot
    except ImportError:
        raise UsageError("other engines need sqlglot", hint="pip install 'trailfit[spark]'") from None
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return sqlglot.parse_one(body, read="duckdb")


def _written(tree: exp.Expr, dialect: str) -> str:
    import sqlglot

    try:
        written: str = tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE, pretty=True)
    except sqlglot.errors.UnsupportedError as problem:
        raise UsageError(f"this query cannot be written for {dialect}: {problem}") from None
    return written


def _for_spark(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    if isinstance(node, exp.Cast) and node.to.this == exp.DType.JSON:
        return node.this  # JSON is text in Spark: a cast would quote it once more
    if isinstance(node, exp.RegexpReplace) and isinstance(node.args.get("replacement"), exp.Literal):
        groups = re.sub(r"\\(\d)", r"$\1", node.args["replacement"].this)
        return exp.RegexpReplace(
            **{**node.args, "replacement": exp.Literal.string(groups)}  # Java's sign for a group is $
        )
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArrayAgg):
        return _list(node.this, node.expression)
    if isinstance(node, exp.ArrayAgg):
        return _list(node, None)
    return node


def _list(node: exp.ArrayAgg, condition: Any) -> exp.Expr:
    """Write ``list(distinct x order by x)``: Spark's own aggregate has no order, and no null for no rows."""
    from sqlglot import exp

    inner = node.this.this if isinstance(node.this, exp.Order) else node.this
    if not isinstance(inner, exp.Distinct):
        raise UsageError("a list in a shared query is `list(distinct x order by x)`")
    collected: exp.Expr = exp.ArrayUniqueAgg(this=inner.expressions[0])
    if condition is not None:
        collected = exp.Filter(this=collected, expression=condition)
    found = exp.Anonymous(this="SORT_ARRAY", expressions=[collected])
    is_empty = exp.EQ(this=exp.ArraySize(this=found), expression=exp.Literal.number(0))
    return exp.If(this=is_empty, true=exp.Null(), false=found.copy())
