"""Imports: a round trip that loses nothing, and every layout and labelling that Replicator's writers are known to make."""
from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import replicated
from PIL import Image

from generators.dataset import Dataset, meta, shards
from generators.exports.payload import BOX_2D
from generators.imports import import_folder, read_folder
from generators.masks import rle_encode
from scenes.errors import DatasetError, InputError


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("round")
    with Dataset.read(replicated.write(root / "set", cameras=("top", "side"))) as dataset:
        dataset.export("replicator", root / "two")
    with Dataset.read(replicated.write(root / "one")) as dataset:
        dataset.export("replicator", root / "one_camera")
    return root


def same(out: Path, cameras: tuple[str, ...]) -> None:
    """The imported dataset at ``out`` says what the samples say."""
    with Dataset.read(out) as read:
        assert len(read) == 6 and read.inspect().passed
        for k, row in enumerate(read):
            made = replicated.sample(k, cameras=cameras)
            assert (row.unit, row.split) == (made.unit, made.split) and row.conditions["imported"]["sample"] == made.id
            order = [sorted(cameras).index(c) for c in cameras]
            for number, frame in enumerate(made.frames):
                there = order[number]
                assert np.array_equal(row.rgb(there), frame.images["rgb"])
                assert np.array_equal(row.label("depth", there), frame.labels["depth"])
                ours, theirs = replicated.camera(k, frame.camera), row.frames[there].looking()
                points = np.random.default_rng(k).uniform(0, 0.02, (9, 3))
                assert theirs.project(points) == pytest.approx(ours.project(points), rel=1e-12)
                assert (theirs.pixel_size, theirs.model) == (pytest.approx(ours.pixel_size, rel=1e-12), ours.model)
                here = [i for i in made.instances if i.frame == number and not i.hidden]
                shown = {(i.category, i.component): rle_encode(i.visible) for i in here}
                found = {(i.category, i.component): i for i in row.instances if i.frame == there}
                assert found.keys() == shown.keys()
                assert all(found[key].rle == rle for key, rle in shown.items())
                for key, item in found.items():
                    rows, columns = np.nonzero(next(i.visible for i in here if (i.category, i.component) == key))
                    assert item.box == (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
                    assert item.defect == (key[0] if key[0] in ("shift", "tombstone") else "")
                    assert not item.hidden and item.amodal_pixels == item.visible_pixels and np.isnan(item.severity)
                assert found["chip_resistor", "R2"].measured["occlusion_ratio"] == pytest.approx(0.5)


@pytest.mark.parametrize("layout", ["flat", "products", "common"])
def test_round_trip(exported, tmp_path, layout):
    """Ours → BasicWriter's layout → ours: the same pictures, masks, boxes, categories, depth, cameras, units and splits."""
    cameras = ("top",) if layout == "flat" else ("top", "side")
    folder = exported / ("one_camera" if layout == "flat" else "two")
    if layout == "common":                                                   # BasicWriter with use_common_output_dir
        folder = tmp_path / "common"
        for path in sorted((exported / "two").rglob("*")):
            if path.is_file() and path.suffix != ".csv":
                product, annotator, name = path.relative_to(exported / "two").parts
                target = folder / annotator / f"{product}_{name}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        shutil.copy(exported / "two/frames.csv", folder)
    assert read_folder(folder).cameras == (("camera",) if layout == "flat" else ("side", "top"))
    report = import_folder(folder, tmp_path / "out", defects=("tombstone", "shift"), shard_size=4)
    assert (report.writer, report.samples, report.frames) == ("BasicWriter", 6, 6 * len(cameras))
    assert report.categories == {k: 6 * len(cameras) for k in ("shift", "tombstone", "chip_resistor", "soic")}
    assert report.without_mask == 0 and report.missing[-1].startswith("severities, physical causes")
    same(tmp_path / "out", cameras)


def test_the_same_folder_gives_the_same_bytes(exported, tmp_path):
    seen = []
    import_folder(exported / "one_camera", tmp_path / "a", progress=lambda *step: seen.append(step))
    import_folder(exported / "one_camera", tmp_path / "b")
    assert replicated.tree(tmp_path / "a") == replicated.tree(tmp_path / "b")
    assert seen[5:7] == [(6, 6, "names"), (1, 6, "import")] and seen[-1] == (6, 6, "import")
    import_folder(exported / "one_camera", tmp_path / "c", rate_hz=5.0)
    digests = [Dataset.read(tmp_path / n).info.recipe_digest for n in "abc"]
    assert digests[0] == digests[1] != digests[2]


# ------------------------------------------------------------------------------------------------------------- by hand

def rgb(folder: Path, frame: str = "0000", name: str = "rgb_{}.png", size: tuple[int, int] = (20, 12)) -> None:
    path = folder / name.format(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(zlib.crc32(str(path).encode())).integers(0, 255, (size[1], size[0], 4)).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def put(folder: Path, name: str, data: object) -> None:
    (folder / name).write_text(json.dumps(data))


IDS = np.zeros((12, 20), np.uint16)                                          # background, and an unlabelled corner
IDS[10:, 15:], IDS[2:6, 3:9], IDS[4:9, 12:18], IDS[7:11, 1:4] = 1, 7, 300, 9


def colours(ids: np.ndarray, table: Mapping[int, tuple[int, ...]]) -> np.ndarray:
    picture = np.zeros((*ids.shape, 4), np.uint8)
    for i, colour in table.items():
        picture[ids == i] = colour
    return picture


def imported(folder: Path, out: Path, **options: object) -> tuple[dict[str, np.ndarray], Dataset]:
    """Category and component → mask of the first frame; the dataset must pass the gate."""
    import_folder(folder, out, **options)
    dataset = Dataset.read(out)
    assert dataset.inspect().passed
    return {f"{i.category}@{i.component}": i.visible() for i in dataset[0].instances if i.frame == 0}, dataset


@pytest.mark.parametrize("stored", ["raw 16 bit", "raw as four bytes", "colours", "colours without alpha"])
def test_raw_and_colourised_ids(tmp_path, stored):
    folder = tmp_path / "out_sdg"
    rgb(folder)
    table = {0: (0, 0, 0, 0), 1: (0, 0, 0, 255), 7: (35, 198, 233, 255), 300: (93, 220, 11, 255), 9: (243, 69, 141, 255)}
    keys = {i: str(c) for i, c in table.items()} if stored.startswith("colours") else {i: str(i) for i in table}
    if stored == "raw 16 bit":
        Image.fromarray(IDS).save(folder / "instance_segmentation_0000.png")
    elif stored == "raw as four bytes":
        Image.fromarray(IDS.astype("<u4").view(np.uint8).reshape(12, 20, 4)).save(folder / "instance_segmentation_0000.png")
    else:
        picture = colours(IDS, table)
        picture = picture[..., :3].copy() if stored.endswith("alpha") else picture
        Image.fromarray(picture).save(folder / "instance_segmentation_0000.png")
    paths = {0: "BACKGROUND", 1: "UNLABELLED", 7: "/World/Banana_0", 300: "/World/Crate", 9: "/World/Box"}
    put(folder, "instance_segmentation_mapping_0000.json", {keys[i]: path for i, path in paths.items()})
    put(folder, "instance_segmentation_semantics_mapping_0000.json", {
        keys[0]: {"class": "BACKGROUND"}, keys[1]: {"class": "UNLABELLED"}, keys[7]: {"class": "banana"},
        keys[300]: {"class": "palette, stack"}, keys[9]: {"class": "UNLABELLED"}})
    found, dataset = imported(folder, tmp_path / "ds")
    assert set(found) == {"banana@/World/Banana_0", "palette,stack@/World/Crate"}       # merged names stay as they are
    assert np.array_equal(found["banana@/World/Banana_0"], IDS == 7)
    assert np.array_equal(found["palette,stack@/World/Crate"], IDS == 300)
    dense = dataset[0].label("instance")
    assert set(np.unique(dense)) == {0, 2, 3} and (dense > 0).sum() == np.isin(IDS, (7, 300)).sum()
    assert dataset.taxonomy.parts == ("banana", "palette,stack") and dataset.taxonomy.defects == ()


def test_a_finding_inside_another_survives(tmp_path):
    """It has no pixel that it does not share, so no prim path either: only the label says that it is there."""
    made = replicated.info()

    def sample(index):
        whole = replicated.sample(index)
        inner = replicated.block(9, 6 + index, 2, 3)
        return replace(whole, instances=tuple(
            replace(i, visible=inner, amodal=inner) if i.category == "tombstone" else i for i in whole.instances))

    meta.write_identity(tmp_path / "set", made, {})
    shards.write_shard(tmp_path / "set", 0, (sample(i) for i in range(2)), made)
    meta.write_summary(tmp_path / "set", made, 2)
    with Dataset.read(tmp_path / "set") as dataset:
        dataset.export("replicator", tmp_path / "out")
    import_folder(tmp_path / "out", tmp_path / "back", strict=True)
    with Dataset.read(tmp_path / "back") as read:
        for k, row in enumerate(read):
            shown = {i.category: i.visible for i in sample(k).instances if not i.hidden}
            assert {i.category for i in row.instances} == set(shown)
            assert all(np.array_equal(i.visible(), shown[i.category]) for i in row.instances)
            ratio = {i.category: i.measured.get("occlusion_ratio") for i in row.instances}
            assert ratio == {"shift": 0.0, "tombstone": None, "chip_resistor": 0.5, "soic": 0.0}
            ids = {i.category: set(i.ids) for i in row.instances}
            assert ids["tombstone"] < ids["shift"] and np.isin(row.label("instance"), list(ids["tombstone"])).sum() == 6


def test_ids_0_and_1_are_empty_unless_they_are_named(tmp_path):
    folder = tmp_path / "sdg"
    rgb(folder)
    Image.fromarray(IDS).save(folder / "instance_segmentation_0000.png")
    mapping = {"1": "/World/Cube", "7": "/World/A", "9": "/World/B", "300": "/World/C", "44": "UNLABELLED", "45": "/World/Gone"}
    put(folder, "instance_segmentation_mapping_0000.json", mapping)
    found, _ = imported(folder, tmp_path / "ds")
    assert set(found) == {"unknown@/World/Cube", "unknown@/World/A", "unknown@/World/B", "unknown@/World/C"}
    with pytest.raises(DatasetError, match="no pixel of id 45, which its mapping names"):
        import_folder(folder, tmp_path / "no", strict=True)


@pytest.mark.parametrize("picture", ["instance_segmentation", "semantic_segmentation"])
def test_a_named_id_0_keeps_its_pixels_to_itself(tmp_path, picture):
    """What is unlabelled is not added to it; 2 is unlabelled too, so the first number that is free is 3."""
    folder = tmp_path / "sdg"
    rgb(folder, size=(8, 8))
    ids = np.zeros((8, 8), np.uint8)
    ids[2:6, 1:8], ids[6, :3] = 1, 2
    Image.fromarray(ids).save(folder / f"{picture}_0000.png")
    part = "semantics_mapping" if picture == "instance_segmentation" else "labels"
    put(folder, f"{picture}_{part}_0000.json", {"0": {"class": "floor"}, "1": {"class": "UNLABELLED"}, "2": {"class": ""}})
    found, dataset = imported(folder, tmp_path / "ds")
    [mask] = found.values()
    assert np.array_equal(mask, ids == 0) and mask.sum() == 33 and dataset.taxonomy.parts == ("floor",)
    [item] = dataset[0].instances
    assert item.box == (0, 0, 8, 8) and np.array_equal(dataset[0].label("instance"), np.where(ids == 0, item.ids[0], 0))


def test_a_named_colour_0_beside_other_objects(tmp_path):
    folder = tmp_path / "sdg"
    rgb(folder)
    table = {7: (1, 0, 0, 0), 300: (93, 220, 11, 255), 1: (0, 0, 0, 255)}   # the first colour is the number 1, which is taken
    Image.fromarray(colours(IDS, table)).save(folder / "instance_segmentation_0000.png")
    put(folder, "instance_segmentation_mapping_0000.json", {
        "(0, 0, 0, 0)": "/World/Floor", "(1, 0, 0, 0)": "/World/A", "(93, 220, 11, 255)": "/World/B",
        "(0, 0, 0, 255)": "UNLABELLED"})
    found, dataset = imported(folder, tmp_path / "ds", strict=True)
    assert {name: int(mask.sum()) for name, mask in found.items()} == {
        "unknown@/World/Floor": int(np.isin(IDS, (0, 9)).sum()), "unknown@/World/A": (IDS == 7).sum(),
        "unknown@/World/B": (IDS == 300).sum()}
    dense = dataset[0].label("instance")
    assert all(np.array_equal(np.isin(dense, i.ids), i.visible()) for i in dataset[0].instances)


def test_prim_paths_have_one_limit(tmp_path):
    """Longer than a class may be, in mappings and in box files alike; and the way back through our own export."""
    folder, deep = tmp_path / "sdg", "/World" + "/Assembly_of_some_kind" * 42
    longest = deep + "x" * (1000 - len(deep))
    rgb(folder)
    Image.fromarray(IDS).save(folder / "instance_segmentation_0000.png")
    put(folder, "instance_segmentation_mapping_0000.json", {"7": longest, "300": f"{deep}/B", "9": "/World/C"})
    tight = np.zeros(1, BOX_2D)
    tight[0] = 4, 3, 2, 8, 5, 0.25
    np.save(folder / "bounding_box_2d_tight_0000.npy", tight)
    put(folder, "bounding_box_2d_tight_prim_paths_0000.json", [longest])
    found, dataset = imported(folder, tmp_path / "ds")
    assert set(found) == {f"unknown@{longest}", f"unknown@{deep}/B", "unknown@/World/C"}
    assert [i.measured.get("occlusion_ratio") for i in dataset[0].instances if i.component == longest] == [0.25]
    dataset.export("replicator", tmp_path / "again")
    assert set(imported(tmp_path / "again", tmp_path / "back")[0]) == set(found)
    for name in ("bounding_box_2d_tight_prim_paths", "instance_segmentation_mapping"):
        put(folder, f"{name}_0000.json", [f"{longest}x"] if "box" in name else {"7": f"{longest}x", "300": "B", "9": "C"})
        with pytest.raises(DatasetError, match=rf"{name}_0000\.json: '/World/Assembly[a-zA-Z_/]*' is no name; it has 1,001 "
                                               "characters, 1,000 printable ones are allowed: rename it"):
            import_folder(folder, tmp_path / "no")


@pytest.mark.parametrize(("prim", "seen"), [("/World/A", True), ("/World", True), ("/World/A/B/C", True), ("/World/A/B", True),
                                            ("/World/AA", False), ("/Wor", False), ("/World/A/Bee", True)])
def test_a_tight_box_needs_a_pixel_of_its_prim_or_one_above_or_below(tmp_path, prim, seen):
    """/World/A and /World/A/B have pixels, so all that is above or below them has."""
    folder = tmp_path / "sdg"
    rgb(folder)
    Image.fromarray(IDS).save(folder / "instance_segmentation_0000.png")
    put(folder, "instance_segmentation_mapping_0000.json", {"7": "/World/A", "300": "/World/A/B", "9": "/World/A"})
    tight = np.zeros(1, BOX_2D)
    tight[0] = 4, 3, 2, 8, 5, 0.0
    np.save(folder / "bounding_box_2d_tight_0000.npy", tight)
    put(folder, "bounding_box_2d_tight_labels_0000.json", {"4": {"class": "x"}})
    put(folder, "bounding_box_2d_tight_prim_paths_0000.json", [prim])
    if seen:
        assert import_folder(folder, tmp_path / "ds").instances == 3
    else:
        with pytest.raises(DatasetError, match=f"has a box around {prim}, of which no pixel"):
            import_folder(folder, tmp_path / "ds")


def test_samples_that_differ_in_unit_split_or_name_have_other_ids(exported, tmp_path):
    def ids(out: str, **options: object) -> list[str]:
        import_folder(tmp_path / "sdg", tmp_path / out, **options)
        with Dataset.read(tmp_path / out) as read:
            return [row.id for row in read]

    shutil.copytree(exported / "one_camera", tmp_path / "sdg")
    first = ids("a")
    assert ids("b") == first and not set(ids("c", name="other")) & set(first)
    side = tmp_path / "sdg/frames.csv"
    for number, (old, new) in enumerate(((",train", ",val"), ("unit-0", "unit-00"))):
        text = side.read_text()
        side.write_text(text.replace(old, new))
        assert not set(ids(f"d{number}")) & set(first)
        side.write_text(text)
    assert ids("e") == first
    side.unlink()
    assert not set(ids("f")) & set(first)


def test_an_import_goes_on_to_every_export(exported, tmp_path):
    import_folder(exported / "one_camera", tmp_path / "ds", defects=("shift",))
    with Dataset.read(tmp_path / "ds") as read:
        for name in ("coco", "yolo", "mvtec", "kitti", "webdataset", "replicator"):
            assert read.export(name, tmp_path / name).images > 0
    import_folder(tmp_path / "replicator", tmp_path / "again", defects=("shift",))
    with Dataset.read(tmp_path / "again") as again, Dataset.read(tmp_path / "ds") as read:
        for rows in zip(again, read, strict=True):                           # a second round changes no mask
            first, second = (sorted((i.category, i.component, i.rle["counts"]) for i in row.instances) for row in rows)
            assert first == second


def test_merged_labels_and_other_taxonomies_can_be_chosen(tmp_path):
    folder = tmp_path / "sdg"
    rgb(folder)
    Image.fromarray(IDS).save(folder / "instance_segmentation_0000.png")
    put(folder, "instance_segmentation_semantics_mapping_0000.json", {
        "7": {"class": "palette,stack", "kind": "wood"}, "300": {"prim": "crate"}, "9": {"class": "box"}})
    assert set(imported(folder, tmp_path / "a", merged="first")[0]) == {"palette@id 7", "crate@id 300", "box@id 9"}
    assert set(imported(folder, tmp_path / "b", merged="last")[0]) == {"stack@id 7", "crate@id 300", "box@id 9"}
    assert set(imported(folder, tmp_path / "c", taxonomy="kind")[0]) == {"wood@id 7", "crate@id 300", "box@id 9"}
    for wrong, text in (({"merged": "both"}, "merged labels 'both'"), ({"split": "dev"}, "no split 'dev'"),
                        ({"defects": ("scratch",)}, "no class 'scratch'; there are: box, crate, palette,stack"),
                        ({"rate_hz": 0.0}, "frames per second"), ({"format": "coco"}, "no format 'coco'")):
        with pytest.raises(InputError, match=text):
            import_folder(folder, tmp_path / "no", **wrong)
    assert not (tmp_path / "no").exists()


def test_leaf_ids_take_their_class_from_the_semantic_picture(tmp_path):
    folder = tmp_path / "sdg"
    rgb(folder)
    Image.fromarray(IDS).save(folder / "instance_id_segmentation_0000.png")
    classes = np.where(IDS == 7, 2, np.where(IDS == 300, 3, IDS == 1)).astype(np.uint8)
    classes[7:9, 1:4] = 3                                                    # id 9 is of two classes: half crate, half nothing
    Image.fromarray(classes).save(folder / "semantic_segmentation_0000.png")
    put(folder, "instance_id_segmentation_mapping_0000.json", {"7": "/World/A/mesh", "300": "/World/B/mesh", "9": "/World/C/mesh",
                                                               "1": "UNLABELLED"})
    put(folder, "semantic_segmentation_labels_0000.json", {"0": {"class": "BACKGROUND"}, "1": {"class": "UNLABELLED"},
                                                           "2": {"class": "banana"}, "3": {"class": "crate"}})
    found, dataset = imported(folder, tmp_path / "ds")
    assert set(found) == {"banana@/World/A/mesh", "crate@/World/B/mesh", "unknown@/World/C/mesh"}
    assert dataset.taxonomy.parts == ("banana", "crate", "unknown")


def test_semantic_segmentation_alone_makes_one_object_per_class(tmp_path):
    folder = tmp_path / "sdg"
    for frame in ("0000", "0001"):
        rgb(folder, frame)
        Image.fromarray(colours(IDS, {7: (10, 20, 30, 255), 300: (10, 20, 30, 255), 9: (1, 2, 3, 255), 1: (0, 0, 0, 255)})).save(
            folder / f"semantic_segmentation_{frame}.png")
    put(folder, "semantic_segmentation_labels_0000.json", {
        "(10, 20, 30, 255)": {"class": "chip"}, "(1, 2, 3, 255)": {"class": "pin"}, "(4, 5, 6, 255)": {"class": "not in sight"}})
    found, dataset = imported(folder, tmp_path / "ds", strict=True)
    assert set(found) == {"chip@", "pin@"} and np.array_equal(found["chip@"], np.isin(IDS, (7, 300)))
    second = {i.component: i.visible() for i in dataset[1].instances}       # no labels: the class is not known, the mask is
    assert {i.category for i in dataset[1].instances} == {"unknown"}
    assert set(second) == {"colour (10, 20, 30, 255)", "colour (1, 2, 3, 255)"}
    assert np.array_equal(second["colour (1, 2, 3, 255)"], IDS == 9)
    assert dataset.taxonomy.parts == ("chip", "not in sight", "pin", "unknown")


def test_cosmos_clips_are_clips(tmp_path):
    """One sample per clip; colours keep their identity over the frames; what is for the eye is counted, not read."""
    folder = tmp_path / "cosmos"
    for clip in range(2):
        for k in range(3):
            for modality in ("depth", "edges", "shaded_seg"):
                rgb(folder, f"{k:04d}", f"clip_{clip:04d}/{modality}/{modality}_{{}}.png")
            rgb(folder, f"{k:04d}", f"clip_{clip:04d}/rgb/rgb_{{}}.png")
            ids = np.roll(IDS, k, axis=1)
            path = folder / f"clip_{clip:04d}/segmentation/segmentation_{k:04d}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(colours(ids, {7: (255, 0, 0, 255), 300: (0, 0, 255, 255)})).save(path)
    report = import_folder(folder, tmp_path / "ds", rate_hz=24.0)
    assert (report.writer, report.samples, report.frames, report.instances) == ("CosmosWriter", 2, 6, 12)
    assert report.left_out == {"depths as 8-bit pictures for the eye": 6, "edge pictures": 6, "shaded segmentations": 6}
    with Dataset.read(tmp_path / "ds") as read:
        assert read.inspect().passed
        row = read[1]
        assert row.clips == {"camera": (0, 1, 2)} and row.frames[2].view["time_s"] == pytest.approx(2 / 24)
        tracks = row.tracks()
        assert sorted(t.component for t in tracks) == ["colour (0, 0, 255, 255)", "colour (255, 0, 0, 255)"]
        assert all(box is not None for path in tracks.values() for _, box in path)
    assert any("frame rate" in m for m in import_folder(folder, tmp_path / "slow").missing)


def test_poses_and_boxes_without_masks_are_kept_in_the_view(tmp_path):
    """PoseWriter's json; BasicWriter's 3D boxes, whose dtype is the one that a file of NVIDIA's has."""
    folder = tmp_path / "pose"
    for product in ("rp1", "rp2"):
        rgb(folder, "000000", f"{product}/{{}}.png")
        rgb(folder, "000000", f"{product}/{{}}_overlay.png")
        put(folder / product, "000000.json", {
            "camera_data": {"focal_length": 24.0, "resolution": [20, 12]}, "keypoint_order": ["Center"],
            "objects": [{"label": "cube", "prim_path": "/World/Cube1", "visibility": 1.0}]})
    report = import_folder(folder, tmp_path / "a")
    assert (report.writer, report.samples, report.frames, report.without_mask, report.instances) == ("PoseWriter", 1, 2, 2, 0)
    with Dataset.read(tmp_path / "a") as read:
        assert read.inspect().passed and [f.camera for f in read[0].frames] == ["rp1", "rp2"]
        assert read[0].frames[1].view["objects"][0]["prim_path"] == "/World/Cube1"
    corners = [(f"{axis}_{end}", "<f4") for end in ("min", "max") for axis in "xyz"]
    boxes = np.zeros(2, [("semanticId", "<u4"), *corners, ("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4")])
    boxes["transform"], boxes["x_max"] = np.eye(4), 0.5
    rgb(tmp_path / "basic")
    np.save(tmp_path / "basic/bounding_box_3d_0000.npy", boxes)
    put(tmp_path / "basic", "bounding_box_3d_prim_paths_0000.json", ["/World/A", "/World/B"])
    tight = np.zeros(1, [("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4")])
    tight[0] = 4, 3, 2, 8, 5                                                 # no occlusionRatio in old files; maximum inclusive
    np.save(tmp_path / "basic/bounding_box_2d_tight_0000.npy", tight)
    put(tmp_path / "basic", "bounding_box_2d_tight_labels_0000.json", {"4": {"class": "banana"}})
    report = import_folder(tmp_path / "basic", tmp_path / "b")
    assert report.without_mask == 2 and report.instances == 0 and any("no masks" in m for m in report.missing)
    with Dataset.read(tmp_path / "b") as read:
        view = read[0].frames[0].view
        assert view["bounding_box_3d"][1]["prim"] == "/World/B" and view["bounding_box_3d"][0]["max"] == [0.5, 0.0, 0.0]
        assert view["bounding_box_2d_tight"] == [{"prim": "", "category": "banana", "box": [3, 2, 6, 4]}]


def test_missing_pieces_are_named(tmp_path):
    """Frames without a picture, sequences of on_time triggers, ranges, normals, files of nobody."""
    folder = tmp_path / "sdg"
    for frame in ("2_0000", "10_0000", "10_0001"):
        rgb(folder, frame)
    np.save(folder / "distance_to_image_plane_2_0000.npy", np.full((12, 20), 1.5, np.float32))
    np.save(folder / "distance_to_image_plane_10_0002.npy", np.ones((12, 20), np.float32))
    np.save(folder / "distance_to_camera_2_0000.npy", np.ones((12, 20), np.float32))
    rgb(folder, "2_0000", "normals_{}.png")
    (folder / "metadata.txt").write_text("BasicWriter writes one")
    (folder / "notes.txt").write_text("of nobody")
    assert [e.name for e in read_folder(folder).events] == ["2_0000", "10_0000", "10_0001", "10_0002"]
    report = import_folder(folder, tmp_path / "ds", name="bananas", license="CC-BY-4.0", split="test")
    assert report.left_out == {"files that no writer of Replicator's makes": 1, "normals as 8-bit pictures of the world frame": 1,
                               "ranges to the camera's centre, no depths along its axis": 1, "views without a picture": 1}
    assert "depth (in 2 of 3 frames)" in report.missing and "segmentation, so no masks" in report.missing
    with Dataset.read(tmp_path / "ds") as read:
        assert read.info.name == "bananas" and read.splits == {"test": 3} and read[0].unit == "bananas-2_0000"
        assert read[0].label("depth").max() == 1.5
        checks = {c.id: c for c in read.inspect().checks}
        for name in ("coverage", "quotas", "leaks.boards", "labels.severity"):
            assert checks[name].passed and checks[name].message.startswith("not applicable: ")
        card = (tmp_path / "ds/README.md").read_text()
        assert "imported by linetwin" in card and "CC-BY-4.0" in card and "process simulation drifts" not in card


def test_what_is_not_an_output_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    rgb(tmp_path / "several" / "run_a")
    rgb(tmp_path / "several" / "run_b")
    np.save(tmp_path / "empty" / "x.npy", np.zeros(3))
    (tmp_path / "blind").mkdir()
    np.save(tmp_path / "blind/distance_to_image_plane_0000.npy", np.zeros((2, 2), np.float32))
    for folder, text in (("empty", "nothing that Replicator's BasicWriter"), ("none", "not a folder"),
                         ("several", r"2 outputs \(run_a, run_b\); import them one by one"),
                         ("blind", "no rgb picture in it; attach the rgb annotator")):
        with pytest.raises(InputError, match=text):
            import_folder(tmp_path / folder, tmp_path / "out")
    rgb(tmp_path / "twice")
    Image.new("RGB", (20, 12)).save(tmp_path / "twice/rgb_0000.jpg")
    with pytest.raises(DatasetError, match=r"frame 0000 has rgb_0000\.jpg for the same"):
        import_folder(tmp_path / "twice", tmp_path / "out")
    rgb(tmp_path / "good")
    import_folder(tmp_path / "good", tmp_path / "taken")
    with pytest.raises(DatasetError, match="not empty; choose a new folder"):
        import_folder(tmp_path / "good", tmp_path / "taken")
