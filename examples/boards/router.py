"""A two-layer maze router on a square grid, for drawing believable example boards: A* with 45° tracks and through vias.

Lengths in mm, KiCad's axes. Per kind of copper (track widths, via) the grid counts the items that come too close to each
cell. Copper of other nets' pads is a wall; their tracks are only dear: a path through them rips those nets up, which then
look for another way, and every place that was fought over gets dearer. Ties are broken by cell number, so equal input gives
equal output.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

CLEARANCE = 0.12
VIA = (0.45, 0.2)  # diameter, drill
VIA_COST = 12.0  # [cells] of detour that a via is worth
RIP_COST = 10.0  # [cells] of detour that a cell of somebody else's track is worth
BEND_COST = 0.3
FRONT, BACK = 0, 1
Point = tuple[float, float]


@dataclass(eq=False)
class Task:
    """A net to be joined, or (``drop``) one pad that gets a via to the plane on the other side."""

    name: str
    net: str
    kind: int  # index of the track width
    pads: list[tuple[tuple[int, ...], BaseGeometry]]
    drop: bool = False
    tracks: list[tuple[int, Point, Point]] = field(default_factory=list)
    vias: list[Point] = field(default_factory=list)
    ids: list[np.ndarray] = field(default_factory=list)  # occupied, flat over (kind, layer, cell)


class Grid:
    """Occupancy at ``pitch`` over a board of ``width`` × ``height``; ``widths`` are the track widths in use."""

    def __init__(self, width: float, height: float, pitch: float, widths: tuple[float, ...], edge: float):
        self.pitch, self.widths = pitch, widths
        self.columns, self.rows = round(width / pitch) + 1, round(height / pitch) + 1
        self.cells = self.columns * self.rows
        self.reach = [CLEARANCE + w / 2 for w in widths] + [CLEARANCE + VIA[0] / 2]
        x, y = np.meshgrid(np.arange(self.columns) * pitch, np.arange(self.rows) * pitch)
        self.points = np.column_stack([x.ravel(), y.ravel()])
        rim = ~((x > edge) & (x < width - edge) & (y > edge) & (y < height - edge)).ravel()
        self.wall = np.tile(rim.astype(np.int16), 2 * len(self.reach))
        self.soft = np.zeros_like(self.wall)
        self.history = np.zeros(len(self.wall), np.float32)
        self.pads: dict[str, list[np.ndarray]] = {}

    def near(self, shape: BaseGeometry, reach: float) -> np.ndarray:
        """Cells within ``reach`` of ``shape``."""
        x0, y0, x1, y1 = np.array(shape.bounds) + np.array([-reach, -reach, reach, reach])
        i0, i1 = (int(np.clip(np.ceil(v / self.pitch), 0, self.columns)) for v in (x0, x1 + self.pitch))
        j0, j1 = (int(np.clip(np.ceil(v / self.pitch), 0, self.rows)) for v in (y0, y1 + self.pitch))
        cells = (np.arange(j0, j1)[:, None] * self.columns + np.arange(i0, i1)).ravel()
        shapely.prepare(shape)
        return cells[shapely.dwithin(shapely.points(self.points[cells]), shape, reach - 1e-6)]

    def occupied(self, layers: tuple[int, ...], shape: BaseGeometry) -> np.ndarray:
        """Flat ids of all (kind, layer, cell) that ``shape`` takes from other nets."""
        ids = []
        for kind, reach in enumerate(self.reach):
            cells = self.near(shape, reach)
            ids += [(2 * kind + layer) * self.cells + cells for layer in ((FRONT, BACK) if kind == len(self.widths) else layers)]
        return np.concatenate(ids)

    def add_pad(self, net: str, layers: tuple[int, ...], shape: BaseGeometry, *, via_allowed: bool = False) -> None:
        ids = self.occupied(layers, shape)
        self.wall[ids] += 1
        self.pads.setdefault(net, []).append(ids)
        if not via_allowed:
            inside = self.near(shape, VIA[0] / 2)
            for layer in (FRONT, BACK):
                self.wall[(2 * len(self.widths) + layer) * self.cells + inside] += 1

    def point(self, node: int) -> Point:
        x, y = self.points[node % self.cells]
        return round(float(x), 4), round(float(y), 4)


class Router:
    def __init__(self, grid: Grid):
        self.grid: Grid = grid
        self.tasks: list[Task] = []

    def run(self, tasks: list[Task], limit: int) -> list[str]:
        """Route ``tasks``, and what they rip up, within ``limit`` attempts; returns the names of those that stay open."""
        self.tasks += [t for t in tasks if t not in self.tasks]
        queue = deque(tasks)
        for _ in range(limit):
            if not queue:
                return []
            task = queue.popleft()
            done, rivals = self._route(task)
            for rival in rivals:
                self._rip(rival)
                if rival not in queue:
                    queue.append(rival)
            if not done:
                return [task.name]
        return [t.name for t in queue]

    def _rip(self, task: Task) -> None:
        for ids in task.ids:
            np.subtract.at(self.grid.soft, ids, 1)
        task.tracks, task.vias, task.ids = [], [], []

    def _route(self, task: Task) -> tuple[bool, list[Task]]:
        regions = [self._inside(*pad) for pad in task.pads]
        rivals: dict[str, Task] = {}
        if task.drop:
            path = self._search(task, regions[0], None)
            if path is None:
                return False, []
            rivals |= self._commit(task, path, end_via=True)
            return True, list(rivals.values())
        tree, reached, left = set(regions[0]), [task.pads[0][1]], list(range(1, len(regions)))
        while left:
            left.sort(key=lambda i: (min(task.pads[i][1].distance(r) for r in reached), i))
            pick = left.pop(0)
            path = self._search(task, regions[pick], tree)
            if path is None:
                return False, []
            rivals |= self._commit(task, path)
            tree |= regions[pick] | set(path)
            reached.append(task.pads[pick][1])
        return True, list(rivals.values())

    def _inside(self, layers: tuple[int, ...], shape: BaseGeometry) -> set[int]:
        cells = self.grid.near(shape.buffer(-0.03), 1e-5)
        return {int(c) + layer * self.grid.cells for c in cells for layer in layers}

    def _search(self, task: Task, sources: set[int], targets: set[int] | None) -> list[int] | None:
        """The cheapest way, as nodes (layer · cells + cell); without targets, to the first place where a via fits."""
        grid = self.grid
        cells, columns = grid.cells, grid.columns
        wall, soft = grid.wall.copy(), grid.soft.copy()
        for ids in grid.pads.get(task.net, []):
            np.subtract.at(wall, ids, 1)
        for other in self.tasks:
            if other.net == task.net:
                for ids in other.ids:
                    np.subtract.at(soft, ids, 1)
        extra = (soft > 0) * RIP_COST + grid.history
        here_kind, via_kind = slice(2 * task.kind * cells, 2 * (task.kind + 1) * cells), 2 * len(grid.widths) * cells
        track_wall, track_extra = (wall[here_kind] > 0).tobytes(), extra[here_kind].tolist()
        via_wall = ((wall[via_kind : via_kind + cells] > 0) | (wall[via_kind + cells :] > 0)).tobytes()
        via_extra = np.maximum(extra[via_kind : via_kind + cells], extra[via_kind + cells :]).tolist()
        if targets is not None:
            at = np.array(sorted(t % cells for t in targets))
            x0, x1, y0, y1 = (
                float(v) for v in ((at % columns).min(), (at % columns).max(), (at // columns).min(), (at // columns).max())
            )
        steps = [(dx + dy * columns, (dx * dx + dy * dy) ** 0.5) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]

        def rest(node: int) -> float:
            if targets is None:
                return 0.0
            y, x = divmod(node % cells, columns)
            a, b = max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)
            return max(a, b) + 0.4142 * min(a, b)

        cost = dict.fromkeys(sources, 0.0)
        came: dict[int, tuple[int, int]] = {}
        heap = [(rest(s), s) for s in sorted(sources)]
        heapq.heapify(heap)
        done: set[int] = set()
        while heap:
            _, node = heapq.heappop(heap)
            if node in done:
                continue
            done.add(node)
            if (node in targets) if targets is not None else (node < 0):
                return self._back(came, node)
            here, heading = cost[node], came[node][1] if node in came else 0
            if targets is None and node >= 0 and not via_wall[node % cells]:
                price = here + VIA_COST + via_extra[node % cells]
                if price < cost.get(-1 - node, 1e9):  # −1 − node: "a via was put at node"
                    cost[-1 - node], came[-1 - node] = price, (node, 0)
                    heapq.heappush(heap, (price, -1 - node))
            for step, length in steps:
                other = node + step
                if track_wall[other]:
                    continue
                price = here + length + track_extra[other] + (BEND_COST if heading and step != heading else 0.0)
                if price < cost.get(other, 1e9):
                    cost[other], came[other] = price, (node, step)
                    heapq.heappush(heap, (price + rest(other), other))
            other = node - cells if node >= cells else node + cells
            if targets is not None and not via_wall[node % cells] and not track_wall[other]:
                price = here + VIA_COST + via_extra[node % cells]
                if price < cost.get(other, 1e9):
                    cost[other], came[other] = price, (node, 0)
                    heapq.heappush(heap, (price + rest(other), other))
        return None

    @staticmethod
    def _back(came: dict[int, tuple[int, int]], node: int) -> list[int]:
        path = [node] if node >= 0 else []
        while node in came:
            node = came[node][0]
            path.append(node)
        return path[::-1]

    def _commit(self, task: Task, path: list[int], *, end_via: bool = False) -> dict[str, Task]:
        """Draw a path: straight runs become tracks, changes of layer vias. Returns the tasks that it runs over."""
        grid, cells = self.grid, self.grid.cells
        used: list[np.ndarray] = []

        def take(layers: tuple[int, ...], shape: BaseGeometry) -> None:
            ids = grid.occupied(layers, shape)
            np.add.at(grid.soft, ids, 1)
            task.ids.append(ids)

        def put_via(node: int) -> None:
            task.vias.append(grid.point(node))
            take((FRONT, BACK), shapely.Point(grid.point(node)).buffer(VIA[0] / 2))
            first = 2 * len(grid.widths) * cells
            used.append(np.array([first + node % cells, first + cells + node % cells]))

        start = 0
        used.append(np.array(path) + 2 * task.kind * cells)
        for i in range(1, len(path)):
            last = i == len(path) - 1
            change = path[i] // cells != path[i - 1] // cells
            turn = not change and not last and path[i + 1] - path[i] != path[i] - path[i - 1]
            if change:
                put_via(path[i])
                start = i
            elif turn or last:
                a, b, layer = grid.point(path[start]), grid.point(path[i]), path[i] // cells
                task.tracks.append((layer, a, b))
                take((layer,), shapely.LineString([a, b]).buffer(grid.widths[task.kind] / 2))
                start = i
        if end_via:
            put_via(path[-1])
        mine = np.concatenate(used)
        rivals = {}
        for other in self.tasks:
            if other.net != task.net and other.ids:
                hit = mine[np.isin(mine, np.concatenate(other.ids))]
                if len(hit):
                    rivals[other.name] = other
                    grid.history[hit] += 2.0
        return rivals
