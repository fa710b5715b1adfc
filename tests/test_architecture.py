"""The import order of DESIGN, the short list of files that may do I/O, and light packages: held by machine."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "trailfit"

#: A module may import from its own rank's package and from any rank below (a greater number); never from above.
RANKS = [
    ("cli",),
    ("api",),
    ("shown",),
    ("pipeline",),
    ("ingest", "usage", "inventory", "recommend", "deliver", "demo"),
    ("engine",),
    ("lake",),
    ("views",),
    ("sql",),
    ("storage",),
    ("model",),
    ("cloudtrail", "policy"),
    ("catalog",),
    ("errors",),
]
RANK = {package: rank for rank, packages in enumerate(RANKS) for package in packages}

#: Calls and imports that reach outside the process.
IO_MODULES = {
    "boto3",
    "botocore",
    "obstore",
    "socket",
    "subprocess",
    "httpx",
    "requests",
    "urllib.request",
    "tempfile",
    "shutil",
}
IO_CALLS = {
    "open",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "mkdir",
    "unlink",
    "iterdir",
    "rglob",
    "glob",
    "rename",
}
MAY_DO_IO = {
    "sql.py": "reads queries/",
    "lake.py": "the lake",
    "pipeline.py": "writes a run's folder",
}
MAY_DO_IO_UNDER = {
    "cli": "reads what the user names, prints",
    "ingest": "buckets and folders",
    "inventory": "AWS and files",
    "deliver": "reports, repositories, forges",
    "demo": "makes the demo's files",
    "engine": "processes",
    "storage": "folders and buckets, and the lake's lock",
    "catalog": "its own tables",
}


def modules(src: Path) -> dict[str, Path]:
    return {
        ".".join(path.relative_to(src).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(src.rglob("*.py"))
    }


def imports(tree: ast.AST) -> set[str]:
    """Every module imported, at any depth of nesting (a lazy import is an import)."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add("trailfit.<relative>")
    return found


def faults(src: Path) -> list[str]:
    wrong = []
    for name, path in modules(src).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        package = name.split(".")[0]
        used = imports(tree)
        for target in sorted(module for module in used if module.startswith("trailfit.")):
            other = target.split(".")[1]
            if other == "<relative>":
                wrong.append(f"{name}: relative import")
            elif other not in RANK or package == "__init__" or name == "__init__":
                continue
            elif package not in RANK:
                wrong.append(f"{name}: not in the order")
            elif other != package and RANK[other] <= RANK[package]:
                wrong.append(f"{name}: imports {other}")
        may = (path.name in MAY_DO_IO and path.parent == src) or package in MAY_DO_IO_UNDER
        if not may and name != "":
            reached = sorted(module for module in used if module in IO_MODULES)
            calls = sorted(
                {
                    node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Call)
                    and (
                        (isinstance(node.func, ast.Attribute) and node.func.attr in IO_CALLS)
                        or (isinstance(node.func, ast.Name) and node.func.id in IO_CALLS)
                    )
                }
            )
            wrong += [f"{name}: does I/O ({what})" for what in [*reached, *calls]]
        if (
            path.name == "__init__.py"
            and path.parent != src
            and any(not isinstance(node, ast.Expr) for node in tree.body)
        ):
            wrong.append(f"{name}: an __init__ that does something")
    return wrong


def test_imports_only_point_down_and_io_stays_in_its_files():
    assert faults(SRC) == []


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("policy/x.py", "from trailfit.cloudtrail import event", "policy.x: imports cloudtrail"),
        ("cloudtrail/x.py", "import trailfit.model", "cloudtrail.x: imports model"),
        ("recommend/x.py", "from trailfit import usage", "recommend.x: imports usage"),
        ("sql.py", "def f():\n    from trailfit.lake import Lake", "sql: imports lake"),
        ("model.py", "import boto3", "model: does I/O (boto3)"),
        ("policy/x.py", "open('x')", "policy.x: does I/O (open)"),
        ("recommend/x.py", "from . import y", "recommend.x: relative import"),
        ("policy/__init__.py", "import re", "policy: an __init__ that does something"),
        ("stray.py", "from trailfit.errors import UsageError", "stray: not in the order"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, path, text, fault):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)

    assert fault in faults(tmp_path)


@pytest.mark.parametrize(
    "module", ["trailfit", "trailfit.policy.containment", "trailfit.cli.main", "trailfit.policy.evaluate"]
)
def test_light_modules_load_no_frame_and_no_aws_client(module):
    heavy = "{'pandas','pyarrow','duckdb','boto3','botocore','obstore','jinja2'}"
    code = f"import {module}, sys; print(sorted({heavy} & set(sys.modules)))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"
