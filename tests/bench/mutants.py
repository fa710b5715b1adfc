"""Mutation testing of the policy language: change one thing, run its tests, expect a failure.

Run: ``python tests/bench/mutants.py [--every N [--first K]] [--only MODULE…]``. Each mutant is one change of an operator, constant, condition,
return or call in the syntax tree of one module; it is loaded in a process of its own, in the place of the module, and
the fast tests run until the first failure. Prints the survivors with their lines and the share killed. Survivors known to
change no answer stand, each with its reason, in `mutants_survivors.csv`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[2]
MODULES = (
    "pattern", "automaton", "inclusion", "condition", "principal", "document", "evaluate", "authorizer", "grant", "values", "satisfy",
    "minterms", "witness", "containment", "minimise", "lines",
)  # fmt: skip
TESTS = (
    *(f"tests/policy/test_{each}.py" for each in ("pattern", "automaton", "condition", "principal", "document", "evaluate", "values", "proof_steps")),
    "tests/policy/test_minimise.py", "tests/policy/test_containment.py", "tests/policy/test_lines.py",
    "tests/cli/test_check.py", "tests/cli/test_simulate.py", "tests/property/test_policy_patterns.py", "tests/property/test_policy_documents.py",
)  # fmt: skip
#: The tests that are run first, because they are about the module.
FIRST = {
    "pattern": "tests/policy/test_pattern.py", "automaton": "tests/policy/test_automaton.py", "lines": "tests/policy/test_lines.py",
    "inclusion": "tests/policy/test_automaton.py", "condition": "tests/policy/test_condition.py", "principal": "tests/policy/test_principal.py",
    "document": "tests/policy/test_document.py", "evaluate": "tests/policy/test_evaluate.py", "authorizer": "tests/policy/test_evaluate.py",
    "values": "tests/policy/test_values.py", "satisfy": "tests/policy/test_values.py", "minimise": "tests/policy/test_minimise.py",
    "grant": "tests/policy/test_automaton.py", "minterms": "tests/policy/test_proof_steps.py", "witness": "tests/policy/test_containment.py",
    "containment": "tests/policy/test_containment.py",
}  # fmt: skip
#: Times the CPU that the tests take without a change, and bytes of memory, that a mutant may take: one that loops for
#: ever has been noticed.
_TIMES = 3
_MEMORY = 4 << 30

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_CALLS = {"any": "all", "all": "any", "every": "either", "either": "every", "min": "max", "max": "min"}


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield (what is changed, the node to stand in its place)."""
    made = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and isinstance(made, ast.Compare) and type(node.ops[0]) in _COMPARE:
        made.ops[0] = _COMPARE[type(node.ops[0])]()
        yield f"{type(node.ops[0]).__name__} -> {type(made.ops[0]).__name__}", made
    elif isinstance(node, ast.BoolOp) and isinstance(made, ast.BoolOp):
        made.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{type(node.op).__name__} -> {type(made.op).__name__}", made
        for at in range(len(node.values)):
            rest = [value for n, value in enumerate(node.values) if n != at]
            yield f"drop operand {at + 1}", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "drop not", node.operand
    elif isinstance(node, ast.BinOp) and isinstance(made, ast.BinOp) and type(node.op) in _BINARY:
        made.op = _BINARY[type(node.op)]()
        yield f"{type(node.op).__name__} -> {type(made.op).__name__}", made
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} -> {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield "always else", node.orelse
        yield "always then", node.body
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield (
            f"{node.func.id} -> {_CALLS[node.func.id]}",
            ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, node.keywords),
        )


def _is_text(tree: ast.Module) -> set[int]:
    """Find what no test could see: annotations, messages of errors, constants of caches and limits."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.arg):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            parts = list(node.decorator_list)
        elif isinstance(node, ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and any(word in t.id for word in ("LIMIT", "KEPT", "PRICE")) for t in node.targets
        ):
            parts = [node.value]
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            parts = [node]
        skipped |= {id(inner) for part in parts if part is not None for inner in ast.walk(part)}
    return skipped


def mutants(module: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield (name, tree) for every change of a module."""
    tree = ast.parse((ROOT / "src/trailfit/policy" / f"{module}.py").read_text())
    skipped = _is_text(tree)
    for node in list(ast.walk(tree)):
        if id(node) in skipped or not hasattr(node, "lineno"):
            continue
        for what, new in _changes(node):
            ast.copy_location(new, node)
            memo = {id(node): new}
            changed = copy.deepcopy(tree, memo)
            yield f"{module}.py:{node.lineno}:{node.col_offset} {what}", ast.fix_missing_locations(changed)


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the mutant in the place of its module."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Claim the one module."""
        return importlib.machinery.ModuleSpec(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's code."""
        module.__file__ = str(ROOT / "src/trailfit/policy" / f"{self.name.rpartition('.')[2]}.py")
        exec(compile(self.tree, module.__file__, "exec"), module.__dict__)


def _survives(module: str, tree: ast.Module, seconds: float) -> bool:
    """Run the tests against a mutant, in a child process; a run out of time counts as killed."""
    return _run([FIRST[module], *TESTS], seconds, _Loader(f"trailfit.policy.{module}", tree))[0]


def _run(tests: Sequence[str], seconds: float, loader: _Loader | None = None) -> tuple[bool, float]:
    """Run the tests, the first of them by itself, in a child process; tell whether all pass, and the CPU it took."""
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        code = 1
        try:
            import pytest

            if loader:
                sys.meta_path.insert(0, loader)
            quiet = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header"]
            code = int(pytest.main([*quiet, tests[0]])) or int(pytest.main([*quiet, *tests[1:]]))
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    return status == 0, used.ru_utime + used.ru_stime


def main() -> None:
    """Run the mutants; print survivors and the share killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth mutant")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of those")
    parser.add_argument("--only", nargs="+", help="only these modules")
    given = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for light in ("pytest", "hypothesis", "moto.iam.aws_managed_policies"):
        importlib.import_module(light)
    total = survived = 0
    started = time.monotonic()
    passed, took = _run(TESTS, 3600)
    if not passed:
        sys.exit("the tests do not pass without a change: nothing can be told")
    print(f"the tests take {took:.0f} s of CPU without a change; a mutant may take {_TIMES} times that", flush=True)
    for module in given.only or MODULES:
        of_module = [each for number, each in enumerate(mutants(module)) if number % given.every == given.first]
        left = []
        for name, tree in of_module:
            if _survives(module, tree, _TIMES * took):
                left.append(name)
                print(f"  survived: {name}", flush=True)
        total, survived = total + len(of_module), survived + len(left)
        print(f"{module}: {len(of_module) - len(left)} of {len(of_module)} killed", flush=True)
    print(
        f"{total - survived} of {total} killed ({(total - survived) / total:.1%}; bar 90 %), {time.monotonic() - started:.0f} s"
    )
    sys.exit(0 if survived <= total * 0.1 else 1)


if __name__ == "__main__":
    main()
