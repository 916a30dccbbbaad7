"""The gate on an imported dataset: checks that ask for a simulation's causes have nothing to look at."""
from __future__ import annotations

from generators.reports import Check

REASONS = {
    "quotas": "an import asks for no number of any defect",
    "coverage": "imported pictures carry no physical causes",
    "leaks.boards": "which board a picture shows is not known",
    "labels.severity": "imported defects carry no severity",
}


def without_physics(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The same checks; those of causes, quotas, boards and severities say that they do not apply. A failed one stays failed,
    except coverage, which fails wherever no cause varies."""
    return tuple(Check(c.id, True, f"not applicable: {REASONS[c.id]}")
                 if c.id in REASONS and (c.passed or c.id == "coverage") else c for c in checks)


__all__ = ["REASONS", "without_physics"]
