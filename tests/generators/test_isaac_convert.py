"""Annotator payloads as NVIDIA's code lays them out → our buffers."""
from __future__ import annotations

import numpy as np
import pytest

from generators.render.isaac.worker import convert
from generators.render.isaac.worker.errors import Refused
from generators.render.isaac.worker.stage import PARTS
from scenes.geometry import PartKind

SHAPE = (2, 3)
KNOWN = {"/World/P/Parts/U3/body": (7, 3), "/World/P/Board/top": (1, 1)}


def test_part_names_are_ours():
    assert PARTS == tuple(kind.name.lower() for kind in PartKind)


def test_rgba_becomes_rgb():
    rgba = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    out = convert.colors(rgba, SHAPE)
    assert np.array_equal(out, rgba[..., :3]) and out.flags.c_contiguous and out.dtype == np.uint8


@pytest.mark.parametrize("bad", [np.zeros((3, 2, 4), np.uint8), np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 4), np.float32),
                                 np.empty(0, np.uint8)])
def test_other_colours_are_refused(bad):
    with pytest.raises(Refused, match="rgb"):
        convert.colors(bad, SHAPE)


def test_depth_has_infinity_where_nothing_is():
    given = np.array([[0.1, np.inf, np.nan], [0.2, 0.0, -1.0]], np.float32)
    assert np.array_equal(convert.depths(given, SHAPE), np.array([[0.1, np.inf, np.inf], [0.2, np.inf, np.inf]], np.float32))
    assert convert.depths(given[..., None], SHAPE).shape == SHAPE
    assert np.isnan(given[0, 2])               # what the annotator holds is left alone


def test_normals_turn_into_the_camera_frame():
    """A camera that looks along the world's +x with the world's z up: its axes in the world are −y, z and −x."""
    axes = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]], float)      # columns: x, y, z of the camera
    world = np.zeros((2, 3, 4), np.float32)
    world[0, 0, :3], world[0, 1, :3], world[0, 2, :3] = (-1, 0, 0), (0, -2, 0), (0, 0, 0.5)
    world[1, 0, :3], world[1, 1, :3] = (np.nan, 0, 0), (-1, 0, 0)
    nothing = np.zeros(SHAPE, bool)
    nothing[1, 1] = True
    out = convert.normals(world, SHAPE, axes, nothing)
    assert out.dtype == np.float32 and out.shape == (2, 3, 3)
    assert np.allclose(out[0], [(0, 0, 1), (1, 0, 0), (0, 1, 0)], atol=1e-7)     # facing it; right; up
    assert not out[1].any()                    # not a number; nothing there; no normal


@pytest.mark.parametrize("key", [str, int])
def test_numbers_become_ids_and_parts(key):
    """Numbers mean something in one frame only; 0 is the background whether it is listed or not."""
    data = np.array([[0, 2, 2], [905, 905, 0]], np.uint32)
    info = {"idToLabels": {key(2): "/World/P/Board/top", key(905): "/World/P/Parts/U3/body", key(4): "/World/Gone"}}
    for further in ({}, {key(0): "BACKGROUND", key(1): "UNLABELLED"}):
        instance, part = convert.ids(data, {"idToLabels": info["idToLabels"] | further}, SHAPE, KNOWN.get)
        assert np.array_equal(instance, [[0, 1, 1], [7, 7, 0]]) and instance.dtype == np.uint32
        assert np.array_equal(part, [[0, 1, 1], [3, 3, 0]]) and part.dtype == np.uint16


@pytest.mark.parametrize(("labels", "says"), [
    ({}, r"number 5 \(2 px\) stands for no prim"), ({"5": "UNLABELLED"}, "UNLABELLED"), ({"5": {"class": "x"}}, "no prim"),
    ({"5": "/World/Stranger"}, r"/World/Stranger \(2 px\) carries no label id")])
def test_no_pixel_is_lost(labels, says):
    data = np.array([[0, 5, 5], [0, 0, 0]], np.uint32)
    with pytest.raises(Refused, match=says) as caught:
        convert.ids(data, {"idToLabels": labels}, SHAPE, KNOWN.get)
    assert caught.value.kind == "mapping"


def test_colourised_ids_are_refused():
    with pytest.raises(Refused, match="instance_id_segmentation"):
        convert.ids(np.zeros((2, 3, 4), np.uint8), {"idToLabels": {}}, SHAPE, KNOWN.get)


def test_both_forms_of_a_payload():
    data = np.zeros(SHAPE, np.uint32)
    assert convert.split(data, "x")[1] == {}
    nested = convert.split({"data": data, "info": {"idToLabels": {"2": "/a"}}}, "x")
    flat = convert.split({"data": data, "idToLabels": {"2": "/a"}}, "x")
    assert nested[1] == flat[1] == {"idToLabels": {"2": "/a"}} and nested[0] is data
    with pytest.raises(Refused, match="gave nothing"):
        convert.split({"data": None}, "x")


def test_black_is_told_from_dark():
    ids = np.array([[0, 3]], np.uint32)
    dark = np.full((1, 2, 3), 1, np.uint8)
    assert convert.black(dark, ids) and not convert.black(dark, np.zeros_like(ids))
    assert not convert.black(dark + np.uint8(1), ids)
