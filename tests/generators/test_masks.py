"""Run lengths, boxes and polygons: against pycocotools, scipy, shapely and closed forms."""
from __future__ import annotations

import contextlib

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from generators import masks
from scenes.errors import DatasetError
from scenes.optics import looking_down

pycoco = pytest.importorskip("pycocotools.mask")
MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=32))


@given(MASKS)
@example(np.ones((1, 1), bool))                  # touches pixel 0: what flipped 8–10 % of a released set
@example(np.zeros((3, 5), bool))                 # nothing visible: no box, area 0, still a valid row
@example(np.ones((4, 7), bool))                  # full
@example(np.eye(4, dtype=bool))                  # many parts that meet only at corners
@example(np.arange(12).reshape(3, 4) == 0)       # one pixel, and it is pixel 0
@example(np.arange(12).reshape(3, 4) == 11)      # one pixel, the last
@example(np.tile([[True], [False], [True]], 4))  # runs that go on in the next column
def test_run_lengths_area_and_box_agree(mask):
    """One mask, three views of it. None may disagree."""
    rle, box = masks.rle_encode(mask), masks.box(mask)
    assert np.array_equal(masks.rle_decode(rle), mask)
    assert masks.rle_area(rle) == mask.sum()
    assert masks.rle_box(rle) == box
    assert (box is None) == (not mask.any())
    if box is not None:
        x, y, w, h = box                         # [px], half open: w and h are counts
        inside = mask[y:y + h, x:x + w]
        assert inside.sum() == mask.sum()                                             # nothing outside
        assert inside[[0, -1]].any(axis=1).all() and inside[:, [0, -1]].any(axis=0).all()   # and tight
        within, found = masks.rle_crop(rle)
        assert within == box and np.array_equal(found, inside)


@given(MASKS)
@example(np.ones((1, 1), bool))
@example(np.zeros((3, 5), bool))
def test_run_lengths_are_those_of_pycocotools(mask):
    theirs = pycoco.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = masks.rle_encode(mask)
    assert ours["counts"] == theirs["counts"].decode() and ours["size"] == theirs["size"]
    assert np.array_equal(pycoco.decode(ours).astype(bool), mask)
    assert int(pycoco.area(ours)) == mask.sum()
    if mask.any():
        assert tuple(pycoco.toBbox(ours).astype(int)) == masks.rle_box(ours)


def test_long_runs_take_several_characters():
    """A run of 2²⁴ needs five characters of five bits, and comes back."""
    mask = np.zeros((4096, 8192), bool)
    mask[-1, -1] = mask[0, 0] = True
    rle = masks.rle_encode(mask)
    assert rle["counts"] == pycoco.encode(np.asfortranarray(mask.view(np.uint8)))["counts"].decode()
    assert masks.rle_area(rle) == 2 and masks.rle_box(rle) == (0, 0, 8192, 4096)


@pytest.mark.parametrize("text", ["", "é", "~~~", "0" * 5, "P", "oooooooooooooo1", "1"])
def test_a_damaged_string_is_refused(text):
    with pytest.raises(DatasetError, match="run lengths"):
        masks.rle_decode({"size": [4, 4], "counts": text})


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
@settings(max_examples=200)
def test_any_text_is_decoded_or_refused(text):
    """Nothing but DatasetError, and never more pixels than the size says."""
    with contextlib.suppress(DatasetError):
        assert masks.rle_decode({"size": [7, 5], "counts": text}).shape == (7, 5)


@given(arrays(np.uint32, array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.integers(0, 6)))
def test_id_boxes_are_those_of_scipy(ids):
    found = masks.id_boxes(ids)
    for i, where in enumerate(ndimage.find_objects(ids.astype(np.int32), max_label=6), 1):
        assert found.get(i) == where
    assert set(found) == set(np.unique(ids).tolist())


def test_a_polygon_covers_the_pixels_whose_centre_is_inside():
    """Against shapely's point-in-polygon on a turned, off-centre telecentric camera."""
    camera = looking_down("top", (0.011, 0.007), 20e-6, 90, 70, roll=0.3)
    ring = shapely.Point(0.0111, 0.0071).buffer(0.4e-3)
    hole, island = shapely.Point(0.0112, 0.0072).buffer(0.15e-3), shapely.box(0.0104, 0.0066, 0.0106, 0.0068)
    region = shapely.union_all([ring.difference(hole), island])
    rows, columns = np.mgrid[0:70, 0:90]
    pixels = np.column_stack([columns.ravel() + 0.5, rows.ravel() + 0.5])
    outline = shapely.transform(region, lambda p: camera.project(np.column_stack([p, np.zeros(len(p))])))
    expected = shapely.contains_xy(outline, pixels[:, 0], pixels[:, 1]).reshape(70, 90)
    (x, y, w, h), inside = masks.rasterise(region, camera)
    mask = np.zeros((70, 90), bool)
    mask[y:y + h, x:x + w] = inside
    assert expected.sum() > 900 and np.array_equal(mask, expected)


def test_a_polygon_outside_the_image_or_below_a_pixel_is_nothing():
    camera = looking_down("top", (0.0, 0.0), 20e-6, 64, 64)
    assert masks.rasterise(shapely.box(1.0, 1.0, 1.1, 1.1), camera) is None
    assert masks.rasterise(shapely.box(0, 0, 1e-6, 1e-6), camera) is None
    assert masks.rasterise(shapely.Polygon(), camera) is None
    (x, y, w, h), inside = masks.rasterise(shapely.box(-1, -1, 1, 1), camera)       # larger than the image: cut to it
    assert (x, y, w, h) == (0, 0, 64, 64) and inside.all()


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)), st.integers(0, 2**16))
def test_pieces_pasted_are_the_masks_they_were_cut_from(mask, seed):
    """Cut to its box and pasted again a mask is itself; several pieces give their union, in a box that holds it."""
    other = np.random.default_rng(seed).random(mask.shape) < 0.1
    pieces = [p for p in (masks.cropped(mask), masks.cropped(other)) if p is not None]
    union, within = masks.pasted(pieces, mask.shape)
    assert np.array_equal(union, mask | other) and within == masks.box(mask | other)
    if within is not None:
        assert masks.box(mask, within) == masks.box(mask)
