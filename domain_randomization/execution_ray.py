"""The same shards, made by Ray actors that keep a renderer warm: the driver's side.

The driver hands one shard at a time to each worker, so what is in flight is bounded by the number of workers. A worker
that dies is replaced and its shard dealt again; a shard that keeps killing its workers ends the run. Only the modules
named ``execution_*`` know Ray.
"""
from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain_randomization.execution import Run, ShardReport, make_shard
from domain_randomization.execution_cluster import LocalRay, connect, probe_nodes
from domain_randomization.execution_worker import worker_class
from domain_randomization.sampling import Context
from domain_randomization.target import Target
from generators.dataset.schema import DatasetInfo
from generators.dataset.shards import remove_pending
from scenes import errors

if TYPE_CHECKING:
    from ray.actor import ActorHandle

TRIES = 3                                      # workers that one shard may take down before the run gives up
FEW = 32                                       # samples that are made sooner than a local Ray is up
START_PATIENCE = 300.0                         # [s] without any worker before the run gives up
POLL = 0.5                                     # [s] between looks at what the workers have made
ROOT = str(Path(__file__).resolve().parent.parent)         # where our rooms lie


@dataclass
class Seat:
    """A place for a worker, and who sits there."""

    actor: ActorHandle
    since: float
    task: Any = None                           # the call in flight
    ready: bool = False
    shard: int | None = None                   # in the making
    served: int = 0                            # shards committed by this actor
    made: int = 0                              # samples of that shard, as last heard
    look: Any = None                           # the call that asks for ``made``
    about: dict[str, Any] = field(default_factory=dict)


def ray_shards(run: Run, target: Target, context: Context) -> Generator[ShardReport, None, DatasetInfo]:
    """Make the missing shards of a run on Ray; gives each as it is committed. Returns what is true of all of them.

    A local Ray takes seconds to start. Until its first worker is ready this process makes shards itself, so the first
    sample does not wait, and a run of a few samples or of a single shard starts no Ray at all.
    """
    try:
        import ray
    except ImportError:
        raise errors.BackendUnavailable("ray: not installed; pip install 'linetwin[ray]', or use --workers 0") from None
    job = {"scene": str(Path(run.scene.path).resolve()), "recipe": run.recipe.model_dump_json(), "renderer": run.renderer,
           "out": str(run.out.resolve()), "digest": context.digest}
    pool = Pool(run, target, context, job)
    server: LocalRay | None = None
    try:
        if run.address is not None or ray.is_initialized():
            joined = connect(run.address)
            try:
                if run.address is not None:
                    probe_nodes(run.out)
                pool.hire(run.workers or int(ray.cluster_resources().get("CPU", 1)))
                yield from pool.work()
            finally:
                pool.close()
                if joined:
                    ray.shutdown()
        else:
            pool.begin(context.renderer.build)
            run.ready = 1                      # this process
            if len(pool.todo) > 1 and run.todo > FEW:
                server = LocalRay(run.workers or 1)
                server.start()
            while pool.todo and not (server is not None and server.up and pool.standing(run.workers or 1)):
                yield pool.commit(make_shard(context, pool.begun, run.out, pool.todo.popleft(), run.one_made))
            context.close()
            yield from pool.work()
        return pool.begun
    finally:
        if server is not None:
            if server.up:
                pool.close()
            server.close()
        with contextlib.suppress(errors.StorageError):      # what killed workers left; the next run would do it too
            remove_pending(run.out)


class Pool:
    """The driver's loop over its workers."""

    def __init__(self, run: Run, target: Target, context: Context, job: dict[str, Any]) -> None:
        self.run, self.target, self.context, self.job = run, target, context, job
        self.factory: Any = None
        self.info: DatasetInfo | None = None
        self.todo: deque[int] = deque()
        self.deaths: Counter[int | None] = Counter()        # by shard; None before the first one
        self.committed_made = 0                # samples in shards that were committed
        self.last_ready = time.monotonic()
        self.seats: list[Seat] = []

    def begin(self, build: str) -> None:
        """The first renderer is open: claim the folder, and know what is missing."""
        self.info = self.run.begin(self.target, self.context, build)
        self.todo.extend(self.run.missing)

    @property
    def begun(self) -> DatasetInfo:
        assert self.info is not None
        return self.info

    def hire(self, workers: int) -> None:
        """Start so many workers, no more than there are shards to make. They get ready on their own."""
        self.factory, self.last_ready = worker_class(), time.monotonic()
        self.seats = [self._hire() for _ in range(min(workers, len(self.todo)) if self.info is not None else workers)]

    def standing(self, workers: int) -> bool:
        """Whether a worker is ready (or has failed). Hires them on the first call; never waits."""
        import ray

        if not self.seats:
            self.hire(workers)
        return bool(ray.wait([s.task for s in self.seats], timeout=0)[0])

    def commit(self, report: ShardReport) -> ShardReport:
        self.committed_made += report.rows
        return self.run.commit(self.target, report)

    def _hire(self) -> Seat:
        options = {"scheduling_strategy": "SPREAD"} if self.run.address is not None else {}
        actor = self.factory.options(**options).remote(ROOT, self.job)
        return Seat(actor, time.monotonic(), actor.prepare.remote())

    def work(self) -> Iterator[ShardReport]:
        """Until nothing is missing. Raises what a worker raised, and BackendError where workers keep dying."""
        import ray

        while self.info is None or self.todo or any(s.shard is not None for s in self.seats):
            waiting = {s.task: s for s in self.seats if s.task is not None}
            done, _ = ray.wait(list(waiting), num_returns=1, timeout=POLL)
            for task in done:
                seat = waiting[task]
                try:
                    result = ray.get(task)
                except (ray.exceptions.RayActorError, ray.exceptions.RaySystemError, ray.exceptions.ObjectLostError) as error:
                    self._bury(seat, error)
                    continue
                if "error" in result:
                    self._fail(result)
                report = self._take(seat, result["value"])
                if report is not None:
                    yield report
            self._deal()
            self._listen()
            if not any(s.ready for s in self.seats) and time.monotonic() - self.last_ready > START_PATIENCE:
                raise errors.BackendError(f"ray: no worker has started for {START_PATIENCE:.0f} s; the cluster offers "
                                          f"{ray.cluster_resources().get('CPU', 0):g} CPUs, ask for fewer workers")

    def _take(self, seat: Seat, value: dict[str, Any]) -> ShardReport | None:
        """A call came back: the worker is ready, or a shard is committed."""
        seat.task = None
        if not seat.ready:
            seat.ready, seat.about, self.last_ready = True, value, time.monotonic()
            self.run.ready = sum(s.ready for s in self.seats)
            self.target.log("worker", seconds=round(time.monotonic() - seat.since, 3), **value)
            if self.info is None:
                self.begin(value["build"])
            elif value["build"] != self.info.renderer_build:
                raise errors.BackendError(f"node {value['node']}: renderer build '{value['build']}' differs from "
                                          f"'{self.info.renderer_build}' of the first worker; use the same driver on every node")
            return None
        report = ShardReport(**value)
        seat.shard, seat.served = None, seat.served + 1
        seat.made, seat.look = 0, None
        self.commit(report)
        limit = self.run.recipe.execution.recycle_shards
        if limit and seat.served >= limit and self.todo:
            self._replace(seat)
        return report

    def _deal(self) -> None:
        for seat in self.seats:
            if seat.ready and seat.task is None and self.todo:
                seat.shard = self.todo.popleft()
                seat.task = seat.actor.shard.remote(seat.shard)

    def _listen(self) -> None:
        """Ask the workers how many samples they have made; never waits for an answer."""
        import ray

        before = self.run.made
        for seat in self.seats:
            if seat.look is not None:
                done, _ = ray.wait([seat.look], timeout=0)
                if done:
                    with contextlib.suppress(ray.exceptions.RayError):      # its death is found where its shard is awaited
                        seat.made = ray.get(seat.look)
                    seat.look = None
            elif seat.shard is not None:
                seat.look = seat.actor.made.remote()
        made = self.committed_made + sum(s.made for s in self.seats if s.shard is not None)
        if made > before:
            self.run.advance(min(made, self.run.todo))

    def _bury(self, seat: Seat, error: Exception) -> None:
        """A worker is gone: deal its shard again, in order, and hire another."""
        self.run.deaths += 1
        shard = seat.shard
        self.deaths[shard] += 1
        self.target.log("death", shard=shard, reason=str(error).splitlines()[0][:300], **seat.about)
        if self.deaths[shard] >= TRIES:
            what = "before it was ready" if shard is None else f"making shard {shard}"
            raise errors.BackendError(f"ray: {TRIES} workers died {what}; the last: {str(error).splitlines()[0][:200]}; "
                                      f"look into memory and drivers, or use --workers 0 to see it happen")
        if shard is not None:
            self.todo.appendleft(shard)
        self._replace(seat)

    def _replace(self, seat: Seat) -> None:
        import ray

        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(seat.actor)
        self.seats[self.seats.index(seat)] = self._hire()
        self.run.ready = sum(s.ready for s in self.seats)

    def _fail(self, result: dict[str, Any]) -> None:
        if "traceback" in result:
            self.target.log("error", message=result["message"], traceback=result["traceback"])
            raise errors.InvariantError(f"{self.run.out}/log/run.jsonl: a worker failed ({result['message']}); "
                                        "this is a bug, please report it with that file")
        raise getattr(errors, result["error"])(result["message"])

    def close(self) -> None:
        """Kill all workers. Their unfinished shards leave nothing but pending files."""
        import ray

        for seat in self.seats:
            with contextlib.suppress(Exception):           # the cluster itself may be gone
                ray.kill(seat.actor)


__all__ = ["Pool", "Seat", "ray_shards"]
