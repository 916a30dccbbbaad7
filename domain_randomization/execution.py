"""Run a recipe: which shards are missing, who makes them, what is committed. Knows Ray only by name.

A shard is a fixed range of indices and a sample depends on nothing but recipe, scene and index, so ``data/`` and
``meta/`` come out byte-identical whatever the number of workers, whoever died on the way, and however often it was resumed.
"""
from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain_randomization.quotas import asked
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, begin_sample, check_quotas
from domain_randomization.target import Target, shard_range
from generators.dataset.rows import Row
from generators.dataset.schema import DatasetInfo
from generators.dataset.shards import open_shard, shard_path, write_shard
from generators.memory import give_back, peak, resident
from scenes.errors import RecipeError
from scenes.scene import Scene


@dataclass(frozen=True)
class ShardReport:
    """One committed shard, as its worker saw it."""

    shard: int
    rows: int
    seconds: float
    rss: int                                   # peak resident memory of the process [bytes]
    pid: int
    node: str
    resident: int                              # resident memory after the shard, with what was freed given back [bytes]


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    out: Path
    count: int                                 # samples in the dataset
    made: int                                  # samples rendered by this run
    shards: int                                # shards committed by this run
    seconds: float
    deaths: int                                # workers that were lost and replaced
    peak_rss: int                              # largest resident memory of a worker [bytes]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "out": str(self.out), "seconds": round(self.seconds, 3)}


Progress = Callable[[int, int, str], None]     # (samples that are there or in the making, of how many, a note)


def worker_count(recipe: Recipe, workers: int | None) -> int:
    """``workers`` if given, else the recipe's, else one per core that this process may use."""
    if workers is None:
        workers = recipe.execution.workers
    if workers is None:
        workers = len(os.sched_getaffinity(0))
    if workers < 0:
        raise RecipeError(f"workers: {workers} is negative; give 0 for none, or how many")
    return workers


def generate(scene: Scene, recipe: Recipe, out: str | Path, *, workers: int | None = None, renderer: str = "gl",
             address: str | None = None, progress: Progress | None = None) -> Iterator[Row]:
    """Make a dataset and give its samples, shard by shard as they are committed. Lazy: it works while you iterate.

    Run it again on the same folder and it makes only what is missing; then only these samples are given.

    Args:
        scene: What the line is.
        recipe: What to make.
        out: The dataset's folder; made where it is missing.
        workers: Ray workers, one per core by default; 0 works in this process, without Ray.
        renderer: Entry point name.
        address: A running Ray cluster instead of a local one; ``out`` must be reachable from each of its nodes.
        progress: Called with (done, total, note) after every sample or so.

    Yields:
        Rows of ``generators.dataset.Dataset``, in index order within a shard.

    Raises:
        RecipeError, SceneError: before anything is written.
        ResumeError: the folder was made from something else.
        StorageError: the target cannot take it; what was committed stays.
        BackendError: a renderer or the workers failed; what was committed stays.
    """
    for report in Run(scene, recipe, out, workers=workers, renderer=renderer, address=address, progress=progress):
        yield from _rows(Path(out), report.shard)


def _rows(out: Path, shard: int) -> Iterator[Row]:
    path = shard_path(out, shard)
    with open_shard(path) as file:
        for group in range(file.num_row_groups):
            for data in file.read_row_group(group, use_threads=False).to_pylist():
                yield Row(data, str(path))


def run(scene: Scene, recipe: Recipe, out: str | Path, *, workers: int | None = None, renderer: str = "gl",
        address: str | None = None, progress: Progress | None = None) -> Summary:
    """``generate`` to the end without reading the samples back. Same arguments, same errors."""
    work = Run(scene, recipe, out, workers=workers, renderer=renderer, address=address, progress=progress)
    for _ in work:
        pass
    return work.summary()


class Run:
    """One call of ``generate``: iterate to work; each step commits a shard. ``summary()`` afterwards."""

    def __init__(self, scene: Scene, recipe: Recipe, out: str | Path, *, workers: int | None = None, renderer: str = "gl",
                 address: str | None = None, progress: Progress | None = None) -> None:
        self.scene, self.recipe, self.out = scene, recipe, Path(out)
        self.workers = None if workers is None and address is not None else worker_count(recipe, workers)
        self.renderer, self.address, self.progress = renderer, address, progress
        self.begun = time.monotonic()
        self.made = self.committed = self.shards = self.deaths = self.peak_rss = self.found = self.ready = 0

    def __iter__(self) -> Iterator[ShardReport]:
        self.begun = time.monotonic()
        context = Context(self.scene, self.recipe, self.renderer, told=self.out, telling=self._telling)
        check_quotas(context)                  # whatever is wrong with the recipe is told before anything is written
        try:
            with Target(self.out) as target:
                if self.workers == 0:
                    info = self.begin(target, context, context.renderer.build)
                    yield from self._here(target, context, info)
                else:
                    from domain_randomization.execution_ray import ray_shards

                    info = yield from ray_shards(self, target, context)
                target.finish(info, self.recipe.count, asked(context.schedule), context.stage_text)
                target.log("end", made=self.committed, seconds=round(self.seconds, 3), deaths=self.deaths)
        finally:
            context.close()

    def begin(self, target: Target, context: Context, build: str) -> DatasetInfo:
        """Claim the folder for this recipe and renderer build; find out what is missing."""
        info = dataset_info(context, build)
        self.missing = target.begin(self.recipe, self.scene, info)
        if context.story is not None:
            from domain_randomization.story import is_told, write_story

            if not is_told(self.out):
                write_story(context.story, self.out, self.recipe.clock.start)
        self.todo = sum(len(shard_range(s, self.recipe.count, info.shard_size)) for s in self.missing)
        self.found = self.recipe.count - self.todo
        target.log("begin", pid=os.getpid(), node=os.uname().nodename, recipe=info.recipe_digest, renderer=self.renderer,
                   build=build, workers=self.workers, count=self.recipe.count, found=self.found,
                   missing=len(self.missing))
        return info

    def _here(self, target: Target, context: Context, info: DatasetInfo) -> Iterator[ShardReport]:
        self.ready = 1
        for shard in self.missing:
            yield self.commit(target, make_shard(context, info, self.out, shard, self.one_made))

    def _telling(self, made: int, units: int) -> None:
        if self.progress is not None:
            self.progress(made, units, "the line runs")

    def one_made(self) -> None:
        """This process has rendered one more sample."""
        self.advance(self.made + 1)

    def advance(self, made: int) -> None:
        """``made`` samples have been rendered by now; tell the caller."""
        self.made = made
        if self.progress is not None:
            self.progress(self.found + made, self.recipe.count, f"generate, {self.ready} at work")

    def commit(self, target: Target, report: ShardReport) -> ShardReport:
        """Count and log a shard that has been committed."""
        self.committed += report.rows
        self.shards += 1
        self.peak_rss = max(self.peak_rss, report.rss)
        target.log("shard", shard=report.shard, rows=report.rows, seconds=round(report.seconds, 3), rss=report.rss,
                   resident=report.resident, pid=report.pid, node=report.node,
                   rate=round(self.committed / max(self.seconds, 1e-9), 3))
        return report

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def summary(self) -> Summary:
        return Summary(self.out, self.recipe.count, self.committed, self.shards, self.seconds, self.deaths, self.peak_rss)


def make_shard(context: Context, info: DatasetInfo, out: Path, shard: int, made: Callable[[], None]) -> ShardReport:
    """Render, label, encode and commit one shard; one sample in memory at a time. ``made`` is called after each."""
    begun = time.monotonic()
    indices = shard_range(shard, context.recipe.count, info.shard_size)

    def samples() -> Iterator[Any]:
        for index in indices:
            yield begin_sample(context, index)      # its frames are made while they are stored
            made()

    write_shard(out, shard, samples(), info)
    seconds, most = time.monotonic() - begun, peak()
    give_back()
    return ShardReport(shard, len(indices), seconds, most, os.getpid(), os.uname().nodename, resident())


def dataset_info(context: Context, build: str) -> DatasetInfo:
    """What is true of every shard."""
    scene, recipe = context.scene, context.recipe
    acceptance = scene.product.acceptance
    return DatasetInfo(
        name=scene.name, recipe_digest=context.digest, taxonomy=context.family.taxonomy, shard_size=recipe.shard_size,
        renderer=context.renderer_name, renderer_build=build,
        acceptance=acceptance if acceptance in ("class2", "class3") else Path(acceptance).name,
        scene=scene.name, scene_digest=scene.digest(), product_digest=scene.product_digest(), board=scene.product.board.name,
        rgb=recipe.outputs.rgb, quality=recipe.outputs.jpeg_quality)


__all__ = ["Progress", "Run", "ShardReport", "Summary", "dataset_info", "generate", "make_shard", "run",
           "worker_count"]
