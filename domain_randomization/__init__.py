"""domain_randomization: decide what is drawn, how often, and where it runs.

For: Recipe, distributions, randomizers, quotas, the plan, Ray workers, resume.
Not for: what a draw looks like (generators) or what a process does to a unit (scenes).
May import: generators, scenes, numpy, pydantic; ray inside `execution_*.py` only. Never: training_bridge, linetwin, torch.
Promise: a sample is a function of (resolved recipe, scene, index). Checked by tests/domain_randomization/test_execution.py.
Start reading at recipe.py, then quotas.py, sampling.py, execution.py. Names are imported when they are asked for.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain_randomization.execution import Summary, generate, run
    from domain_randomization.planning import Plan, plan
    from domain_randomization.recipe import Recipe, recipe_schema
    from domain_randomization.sampling import Context, make_sample, replay

_HOME = {"Context": "sampling", "Plan": "planning", "Recipe": "recipe", "Summary": "execution", "generate": "execution",
         "make_sample": "sampling", "plan": "planning", "recipe_schema": "recipe", "replay": "sampling", "run": "execution"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'domain_randomization' has no attribute '{name}'")
    return getattr(importlib.import_module(f"domain_randomization.{_HOME[name]}"), name)


__all__ = ["Context", "Plan", "Recipe", "Summary", "generate", "make_sample", "plan", "recipe_schema", "replay", "run"]
