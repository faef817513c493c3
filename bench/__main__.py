"""`bin/bench NAME…`: run the named benchmarks; without a name, list them.

Owns the table of benchmarks.  Every figure is a ratio measured side by side in one run.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

BENCHES = {
    path.stem: path
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if not path.stem.startswith("_")
}


def main(argv: list[str]) -> int:
    """Run ``NAME`` with the arguments that follow it; exit 2 for an unknown name."""
    if not argv or argv[0] not in BENCHES:
        print("bin/bench " + "|".join(BENCHES))
        return 0 if not argv else 2
    sys.argv = [argv[0], *argv[1:]]
    runpy.run_module(f"bench.{argv[0]}", run_name="__main__")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
