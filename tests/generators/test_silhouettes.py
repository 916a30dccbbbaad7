"""Amodal masks from geometry: against point-in-triangle tests, closed forms, and the gl renderer's passes."""
from __future__ import annotations

import math

import numpy as np
import pytest
import render_scene as made
from hypothesis import given
from hypothesis import strategies as st

from generators.masks import pasted
from generators.render.silhouettes import covered, silhouettes
from scenes.optics import looking_down

WIDTH, HEIGHT = 17, 13


def whole(piece, shape=(HEIGHT, WIDTH)):
    return np.zeros(shape, bool) if piece is None else pasted([piece], shape)[0]


def inside(triangles):
    """Pixel centres strictly inside any triangle, and those on some edge, by cross products."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    strictly, touching = np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    for a, b, c in triangles:
        sides = np.stack([(q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) for p, q in ((a, b), (b, c), (c, a))])
        strictly |= (sides > 1e-9).all(axis=0) | (sides < -1e-9).all(axis=0)
        touching |= (np.abs(sides) <= 1e-9).any(axis=0)
    return strictly, touching


corner = st.tuples(st.integers(-40, 200), st.integers(-40, 200)).map(lambda p: (p[0] / 8, p[1] / 8))


@given(st.lists(st.tuples(corner, corner, corner), min_size=1, max_size=6))
def test_union_of_triangles(triangles):
    found = whole(covered(np.array(triangles, float), WIDTH, HEIGHT))
    strictly, touching = inside(triangles)
    assert found[strictly].all() and not (found & ~strictly & ~touching).any()


@given(st.permutations(range(12)), st.floats(0, 6.28, allow_subnormal=False), st.floats(0.5, 6))
def test_a_fan_has_no_seams(order, angle, radius):
    """Twelve triangles about one point cover what their outline covers, whatever way each is turned."""
    at = np.array([8.3, 6.1]) + radius * np.column_stack([f(angle + np.arange(12) * math.pi / 6) for f in (np.cos, np.sin)])
    fan = np.array([[(8.3, 6.1), at[k], at[(k + 1) % 12]] for k in order])
    fan[::2] = fan[::2, ::-1]
    outline = np.array([[at[0], at[k], at[k + 1]] for k in range(1, 11)])
    assert np.array_equal(whole(covered(fan, WIDTH, HEIGHT)), whole(covered(outline, WIDTH, HEIGHT)))


def test_nothing_and_everything():
    flat = np.array([[(1, 1), (2, 2), (3, 3)]], float)
    beside = np.array([[(50, 50), (60, 50), (50, 60)]], float)
    assert covered(flat, WIDTH, HEIGHT) is None and covered(beside, WIDTH, HEIGHT) is None
    over = np.array([[(-100, -100), (300, -100), (-100, 300)]], float)
    assert whole(covered(over, WIDTH, HEIGHT)).all()


def test_a_ball_is_a_disc():
    """Its area is π r² to within the pixels of its outline."""
    board = made.board(1)
    ball = made.ball((3e-3, 3e-3, 0.5e-3), 0.5e-3, 77)
    board = type(board)(board.slab, board.instances, ball, (), board.markings)
    camera = looking_down("top", (3e-3, 3e-3), 10e-6, 160, 160)
    (x, y, w, h), mask = silhouettes(board, camera, [77])[77]
    assert (x, y, w, h) == (30, 30, 100, 100)
    assert abs(mask.sum() / (math.pi * 50**2) - 1) < 0.01


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_the_same_as_gl(gl, model):
    """Pixel for pixel, but for what float32 does to an edge that passes through a pixel's centre."""
    board = made.board(2)
    camera = looking_down("top", (3e-3, 3e-3), 20e-6, 320, 280, model=model, roll=0.3)
    ids = [1, 2, 3, 5, 6, 7, 8, 999]
    ours, theirs = silhouettes(board, camera, ids), gl.silhouettes(board, camera, ids)
    assert set(ours) == set(theirs) and {1, 2, 6, 7} <= set(ours)
    for i in ours:
        a, b = whole(ours[i], (280, 320)), whole(theirs[i], (280, 320))
        assert (a ^ b).sum() <= max(2, 1e-3 * b.sum()), i
