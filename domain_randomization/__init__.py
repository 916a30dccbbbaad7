"""domain_randomization: decide what is drawn, how often, and where it runs.

For: Recipe, distributions, randomizers, quotas, the plan, Ray workers, resume.
Not for: what a draw looks like (generators) or what a process does to a unit (scenes).
May import: generators, scenes, numpy, pydantic; ray inside `execution_ray.py` only. Never: training_bridge, linetwin, torch.
Promise: a sample is a function of (resolved recipe, scene, index). Checked by tests/domain_randomization/test_streams.py.
Start reading at recipe.py, then quotas.py, sampling.py, execution.py.
"""
from domain_randomization.recipe import Recipe, recipe_schema

__all__ = ["Recipe", "recipe_schema"]
