"""Builds the native decoder with the package, where a C++ compiler, simdjson and libdeflate are at hand.

Without them the package is pure Python and decodes in Python, slower and with the same result. The library is loaded by
its path (ctypes), so it fits any Python; it needs the machine's simdjson and libdeflate when it runs.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src/trailfit/ingest/native")
LIBRARIES = ("simdjson", "libdeflate")


class NativeDecoder(BuildHookInterface[BuilderConfig]):
    """Compiles `kernel.cpp` beside itself before files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library; add it to the wheel, which then is one for this kind of machine."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / FOLDER
        library = folder / "kernel.so"
        library.unlink(missing_ok=True)
        problem = build(folder / "kernel.cpp", library)
        if problem is not None:
            self.app.display_info(f"without the native decoder: {problem}")
            return
        build_data["artifacts"].append(f"/{FOLDER.as_posix()}/kernel.so")
        if version == "standard":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"


def build(source: Path, library: Path) -> str | None:
    """Compile `source` to `library`; say why it cannot be."""
    compiler = os.environ.get("CXX") or next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    if compiler is None:
        return "no C++ compiler"
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(source.parent.glob("*.?pp")))).hexdigest()
    # No -march=native: simdjson and libdeflate choose their instructions when they run.
    command = [
        *shlex.split(compiler), "-std=c++17", "-O3", "-fPIC", "-shared", f'-DTRAILFIT_SOURCE="{stamp}"',
        *shlex.split(os.environ.get("CPPFLAGS", "")), *_flags("--cflags"), str(source), "-o", str(library),
        *shlex.split(os.environ.get("LDFLAGS", "")), *(_flags("--libs") or ["-lsimdjson", "-ldeflate"]),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as problem:
        return str(problem)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the compiler failed"])[0]


def _flags(kind: str) -> list[str]:
    """Ask pkg-config where the libraries are; nothing where it does not know."""
    if shutil.which("pkg-config") is None:
        return []
    done = subprocess.run(["pkg-config", kind, *LIBRARIES], capture_output=True, text=True, check=False)
    return shlex.split(done.stdout) if done.returncode == 0 else []
