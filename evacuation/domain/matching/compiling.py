"""Running the kernel: the same source, compiled when that is worth the wait.

Owns the choice.  Small networks (a page with proposals for a handful of people) run as plain
Python on lists and never load the compiler; larger ones run compiled when ``numba`` is
installed (extra ``fast``), otherwise as plain Python.  Both give the same answer to the last
edge.  Compiled code is cached on disk where a folder allows it and only in memory otherwise.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, cast

from evacuation.domain.matching import heap, kernel
from evacuation.domain.matching.state import State

WORTH_COMPILING = 30_000  # edges: about half a second uncompiled, the price of loading numba


def available() -> bool:
    """Whether the compiler is installed (without loading it)."""
    return importlib.util.find_spec("numba") is not None


def chosen(edges: int, compiled: bool | None) -> bool:
    """Compiled or not: the caller's word, else by size.  ``True`` without numba raises."""
    if compiled is None:
        return edges >= WORTH_COMPILING and available()
    if compiled and not available():
        raise RuntimeError("numba is not installed; install the extra 'fast'")
    return compiled


def runner(compiled: bool) -> Callable[[State], None]:
    """The function that solves a state in place."""
    return _compiled_run() if compiled else kernel.run


@cache
def _compiled_run() -> Callable[[State], None]:
    """Compile copies of the kernel's functions, so that the plain ones stay plain."""
    njit: Any = importlib.import_module("numba").njit
    names: dict[str, Any] = {"FAR": kernel.FAR, "range": range, "len": len}
    for module in (heap, kernel):
        for name, function in _own_functions(module):
            copy = FunctionType(function.__code__, names, name)
            copy.__qualname__, copy.__module__ = f"compiled_{name}", module.__name__
            names[name] = _compile(njit, copy)
    return cast(Callable[[State], None], names["run"])


def _own_functions(module: ModuleType) -> list[tuple[str, FunctionType]]:
    """Functions defined in ``module``, in source order: callees come before their callers."""
    return [
        (name, value)
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]


def _compile(njit: Any, function: FunctionType) -> Any:
    # Only ``run`` is called from Python; entrances to the others would double the wait.
    inner = function.__name__ != "run"
    entrances = {"no_cpython_wrapper": inner, "no_cfunc_wrapper": True}
    try:
        return njit(cache=True, **entrances)(function)
    except RuntimeError:  # no folder to cache in: read-only installation without a home
        return njit(**entrances)(function)
