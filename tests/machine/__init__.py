"""The machine that tries every order: a model of the rules, a small world, and the steps.

``oracle`` says what points must be, straight from P1's formula and without a line of
``points.domain``; ``world`` is made through the operations; ``facts`` is what the machine knows
to have happened; ``machine`` plays; ``checks`` compares after every step; ``broken`` are builds
that are wrong on purpose.  Used by ``tests/operations/test_points_machine.py`` and by
``bin/bench machine``.
"""

from __future__ import annotations

#: The controls by name, here so that they can be listed without a database (see ``broken``).
CONTROLS = (
    "arrival_order", "void_alone", "newest_rules", "overlap_by_arrival", "facts_ignored",
    "shortfall_forgiven", "closed_reopened",
)
