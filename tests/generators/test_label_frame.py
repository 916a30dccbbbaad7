"""Labels of one frame: visible and amodal masks from id images whose right answer is plain to see."""
from __future__ import annotations

import numpy as np
import pytest
import shapely
from synthetic import TAXONOMY

from generators.labels import label_frame
from generators.masks import cropped
from generators.render.protocol import Buffers
from scenes.errors import InvariantError
from scenes.family import Finding
from scenes.geometry import Coverage, Geometry, Instances, Mesh, PartKind, Slab, Soup
from scenes.optics import looking_down

PIXEL = 20e-6
H, W = 40, 60
CAMERA = looking_down("top", (W * PIXEL / 2, H * PIXEL / 2), PIXEL, W, H)           # board's origin = lower left pixel corner


def pixels(x0, y0, x1, y1):
    """The rectangle of pixels [x0, x1) × [y0, y1), y down, as a polygon on the board."""
    return shapely.box(x0 * PIXEL, (H - y1) * PIXEL, x1 * PIXEL, (H - y0) * PIXEL)


def rectangle(x0, y0, x1, y1):
    mask = np.zeros((H, W), bool)
    mask[y0:y1, x0:x1] = True
    return mask


class Fake:
    """A renderer that knows its silhouettes and remembers what it was asked."""
    name = build = "fake"

    def __init__(self, outlines=None):
        self.outlines, self.asked = outlines or {}, []

    def silhouettes(self, geometry, camera, ids):
        self.asked.append(list(ids))
        return {i: cropped(self.outlines[i]) for i in ids if i in self.outlines}


def mesh(size=1e-4):
    corners = np.array([[x, y, z] for x in (0, size) for y in (0, size) for z in (0, size)], np.float32)
    return Mesh("box", corners, corners, np.zeros((0, 3), np.uint32), np.zeros(8, np.uint8), np.full(8, PartKind.BODY, np.uint8))


def geometry(places):
    """Boxes of 5 × 5 pixels with their lower left corner at a pixel (x, y down), by id."""
    slab = Slab(mesh(), Coverage(np.zeros((1, 1, 4), np.uint8), (0, 0), PIXEL), 1.6e-3)
    pose = np.tile(np.eye(4), (len(places), 1, 1))
    for k, (x, y) in enumerate(places.values()):
        pose[k, :2, 3] = x * PIXEL, (H - y) * PIXEL
    ids = np.array(list(places), np.uint32)
    return Geometry(slab, (Instances(mesh(), pose, ids, np.ones((len(ids), 3), np.float32), np.full(len(ids), -1, np.int32)),))


def buffers(**boxes):
    """Ids painted in order: i5=(x0, y0, x1, y1); the rest is board (id 1) with a pad at (40, 10, 50, 20)."""
    ids, part = np.ones((H, W), np.uint32), np.full((H, W), PartKind.BOARD, np.uint16)
    part[10:20, 40:50] = PartKind.PAD
    for name, (x0, y0, x1, y1) in boxes.items():
        ids[y0:y1, x0:x1], part[y0:y1, x0:x1] = int(name[1:]), PartKind.BODY
    return Buffers(None, None, None, ids, part)


def finding(category, ids=(), region=None, severity=0.4, **more):
    defect = category if category in ("shift", "missing", "void") else ""
    return Finding(category, defect, "R1", ("1",), tuple(ids), region, severity, **more)


def label(findings, seen, renderer, where):
    return label_frame(3, findings, seen, where, CAMERA, renderer, TAXONOMY)


def test_an_occluded_defect_has_both_masks():
    seen = buffers(i2=(5, 5, 15, 15), i3=(10, 5, 20, 15))                            # 3 lies over the right half of 2
    renderer = Fake({2: rectangle(5, 5, 15, 15)})
    shifted = finding("shift", (2,), rule="overhang", measured={"overhang": 1e-4})
    (found,) = label([shifted], seen, renderer, geometry({2: (5, 15)}))
    assert np.array_equal(found.visible, rectangle(5, 5, 10, 15))
    assert np.array_equal(found.amodal, rectangle(5, 5, 15, 15))
    assert (found.frame, found.category, found.defect, found.component, found.pads) == (3, "shift", "shift", "R1", ("1",))
    assert (found.severity, found.severity_unit, found.rule, found.ids) == (0.4, "1", "overhang", (2,))
    assert not found.hidden and found.measured == {"overhang": 1e-4}


def test_a_wholly_hidden_defect_says_so():
    seen = buffers(i3=(0, 0, 30, 30))
    renderer = Fake({2: rectangle(5, 5, 10, 10)})
    (found,) = label([finding("shift", (2,))], seen, renderer, geometry({2: (5, 10)}))
    assert found.hidden and not found.visible.any() and np.array_equal(found.amodal, rectangle(5, 5, 10, 10))


def test_what_physics_hides_has_no_visible_pixel():
    """A void inside a ball: its host is seen, the void is not."""
    seen = buffers(i2=(5, 5, 15, 15))
    (found,) = label([finding("void", (2,))], seen, Fake({2: rectangle(5, 5, 15, 15)}), geometry({2: (5, 15)}))
    assert found.hidden and not found.visible.any() and found.amodal.sum() == 100
    renderer = Fake({2: rectangle(5, 5, 15, 15)})
    (seen_by_xray,) = label_frame(0, [finding("void", (2,))], seen, geometry({2: (5, 15)}), CAMERA, renderer, TAXONOMY,
                                  modality="xray")
    assert not seen_by_xray.hidden and seen_by_xray.visible.sum() == 100


def test_a_missing_part_is_its_land_pattern_where_the_board_shows():
    """Lacquer, land and solder on the land count; another part that lies there does not."""
    seen = buffers(i7=(46, 10, 50, 20))
    seen.part[12:14, 42:46] = PartKind.PASTE                                         # reflowed solder, under a joint's id
    seen.instance[12:14, 42:46] = 30
    (found,) = label([finding("missing", region=pixels(38, 8, 52, 22))], seen, Fake(), geometry({}))
    expected = rectangle(38, 8, 52, 22) & ~rectangle(46, 10, 50, 20)
    assert np.array_equal(found.visible, expected) and np.array_equal(found.amodal, rectangle(38, 8, 52, 22))


def test_a_good_part_is_its_visible_pixels_and_costs_no_silhouette():
    seen = buffers(i2=(5, 5, 15, 15), i3=(10, 5, 20, 15))
    renderer = Fake()
    (found,) = label([finding("soic", (2,), severity=float("nan"))], seen, renderer, geometry({2: (5, 15)}))
    assert found.amodal is found.visible and found.visible.sum() == 50 and found.severity_unit == "" and not renderer.asked


def test_what_is_not_in_the_frame_is_left_out_and_not_drawn():
    """One call for all defects, without those in other tiles; order follows the findings."""
    seen = buffers(i2=(5, 5, 15, 15))
    renderer = Fake({2: rectangle(5, 5, 15, 15), 4: rectangle(30, 30, 35, 35)})
    findings = [finding("shift", (9,)), finding("shift", (4,)), finding("soic", (8,)), finding("shift", (2,)),
                finding("missing", region=shapely.box(1, 1, 1.1, 1.1))]
    found = label(findings, seen, renderer, geometry({2: (5, 15), 4: (30, 35), 9: (500, 500)}))
    assert [f.ids for f in found] == [(4,), (2,)] and renderer.asked == [[2, 4]]


def test_soup_and_two_findings_on_one_joint():
    soup_points = np.array([[30, 20, 0], [34, 20, 0], [30, 24, 0]], np.float32) * PIXEL
    soup = Soup(soup_points.astype(np.float32), soup_points, np.array([[0, 1, 2]], np.uint32), np.zeros(3, np.uint8),
                np.zeros(3, np.uint8), np.full(3, 11, np.uint32), np.full(3, -1, np.float32))
    where = Geometry(geometry({}).slab, (), soup)
    renderer = Fake({11: rectangle(30, 16, 34, 20)})
    found = label([finding("shift", (11,)), finding("void", (11,))], buffers(), renderer, where)
    assert [f.hidden for f in found] == [True, True] and renderer.asked == [[11]]


def test_missing_buffers_are_our_bug():
    with pytest.raises(InvariantError, match="instance and part"):
        label([], Buffers(None, None, None, None, None), Fake(), geometry({}))
