"""Whether a board that was read makes sense as a product. Reading tolerates more than a line can build."""

from __future__ import annotations

import numpy as np

from scenes.board.model import Board, Component
from scenes.errors import SceneError

MARGIN = 1e-3  # [m] castellations and edge connectors reach over the edge


def _outside(component: Component, bounds: tuple[float, float, float, float]) -> bool:
    """Whether the middle of its pads and every single pad lie beyond the outline's bounding box."""
    spots = np.array([(p.x, p.y) for p in component.pads] or [(component.x, component.y)])
    spots = np.concatenate([spots, spots.mean(axis=0, keepdims=True)])
    inside = (spots[:, 0] > bounds[0] - MARGIN) & (spots[:, 0] < bounds[2] + MARGIN)
    inside &= (spots[:, 1] > bounds[1] - MARGIN) & (spots[:, 1] < bounds[3] + MARGIN)
    return not inside.any()


def outside(board: Board) -> tuple[Component, ...]:
    """Components of which no part is over the board."""
    return tuple(c for c in board.components if _outside(c, board.outline.bounds))


def check(board: Board) -> Board:
    """The same board, if it can be built.

    Raises:
        SceneError: a part that is to be placed lies outside the outline; one line each with file, reference, place and what
            to do. Parts that reach over the edge are fine.
    """
    lines = [
        f"{board.source}: {c.reference} ({c.package}) lies outside the outline, at x {c.x * 1e3:.3f} mm, y {c.y * 1e3:.3f} mm "
        f"from its lower left corner, the board being {board.size[0] * 1e3:.1f} × {board.size[1] * 1e3:.1f} mm; "
        "move it onto the board or mark it do-not-populate"
        for c in outside(board)
        if c.placed
    ]
    if lines:
        raise SceneError("\n".join(lines))
    return board


__all__ = ["check", "outside"]
