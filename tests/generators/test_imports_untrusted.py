"""Folders that contradict themselves or mean harm: one line with file and frame, nothing read outside, nothing left behind."""
from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import replicated
from PIL import Image

from generators.dataset import Dataset
from generators.imports import import_folder
from generators.imports.files import listing, read_array, read_json, read_picture
from generators.imports.names import key_id
from scenes.errors import DatasetError, InputError


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("harm")
    with Dataset.read(replicated.write(root / "set")) as dataset:
        dataset.export("replicator", root / "good")
    return root / "good"


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    """A copy of one frame of a good output, to be spoiled."""
    target = tmp_path / "sdg"
    target.mkdir()
    for path in exported.glob("*_0002.*"):
        (target / path.name).write_bytes(path.read_bytes())
    return target


def refused(folder: Path, text: str, kind: type[Exception] = DatasetError, **options: object) -> None:
    """One line that names the file, and no trace of a dataset."""
    with pytest.raises(kind, match=text) as caught:
        import_folder(folder, folder.parent / "out", **options)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def change(path: Path, edit) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps(edit(data) or data))


def test_the_copy_is_good(folder, tmp_path):
    assert import_folder(folder, tmp_path / "out").instances == 4


def test_a_pixel_that_no_mapping_knows(folder):
    change(folder / "instance_segmentation_semantics_mapping_0002.json", lambda d: d.popitem() and None)
    refused(folder, r"segmentation_0002\.png: frame 0002 shows id \(\d+, \d+, \d+, 255\), which its mapping does not hold")


def test_ids_of_a_mapping_without_a_pixel_are_counted_or_refused(folder, tmp_path):
    """Replicator may name what is out of sight, so only a strict import refuses it."""
    for name, value in (("mapping", "/World/Gone"), ("semantics_mapping", {"class": "banana"})):
        change(folder / f"instance_segmentation_{name}_0002.json", lambda d, v=value: {**d, "(1, 2, 3, 255)": v})
    refused(folder, r"frame 0002 has no pixel of id \(1, 2, 3, 255\)", strict=True)
    assert import_folder(folder, tmp_path / "out").left_out["mapped ids without a pixel"] == 1


def test_a_tight_box_around_nothing(folder):
    change(folder / "bounding_box_2d_tight_prim_paths_0002.json", lambda d: [*d[:-1], "/World/Elsewhere"])
    refused(folder, r"bounding_box_2d_tight_0002\.npy: frame 0002 has a box around /World/Elsewhere, of which no pixel")


def test_boxes_and_their_names_must_fit(folder):
    change(folder / "bounding_box_2d_tight_prim_paths_0002.json", lambda d: d[:-1])
    refused(folder, r"prim_paths_0002\.json: frame 0002 does not name 4 prims")


def test_a_box_of_an_unknown_class(folder):
    change(folder / "bounding_box_2d_tight_labels_0002.json", lambda d: {"77": {"class": "x"}})
    refused(folder, r"frame 0002 has a box of semantic id \d+, which its labels do not hold")


def test_a_box_outside_the_picture(folder):
    path = folder / "bounding_box_2d_tight_0002.npy"
    boxes = np.load(path)
    boxes["x_max"][0] = 56                                                   # a maximum is inclusive: 55 is the last
    np.save(path, boxes)
    refused(folder, r"frame 0002 has the box \(\d+, \d+\) to \(56, \d+\) in a picture of 56 × 40 pixels")


@pytest.mark.parametrize("name", ["instance_segmentation", "rgb"])
def test_pictures_of_different_sizes(folder, name):
    path = folder / f"{name}_0002.png"
    Image.open(path).crop((0, 0, 50, 40)).save(path)
    refused(folder, r"frame 0002 is \d+ × 40 pixels, its picture \d+ × 40; they are of different runs"
            if name != "rgb" else r"frame 0002")


def test_depths(folder):
    path = folder / "distance_to_image_plane_0002.npy"
    np.save(path, np.ones((40, 55), np.float32))
    refused(folder, r"distance_to_image_plane_0002\.npy: frame 0002 is 55 × 40 pixels")
    np.save(path, np.full((40, 56), np.nan, np.float32))
    refused(folder, "frame 0002 has depths that are not a number")
    np.save(path, np.ones((40, 56), np.uint8))
    refused(folder, r"uint8 \(40, 56\) is no depth")


def test_colours_for_ids_and_ids_for_colours(folder):
    Image.fromarray(np.ones((40, 56), np.uint16)).save(folder / "instance_segmentation_0002.png")
    refused(folder, r"speaks of colours, but instance_segmentation_0002\.png holds ids")


@pytest.mark.parametrize(("key", "ok"), [("7", 7), ("(1, 2, 3, 4)", 0x04030201), ("(1,2,3)", 0xFF030201),
                                         ("4294967295", 4294967295)])
def test_keys(key, ok):
    assert key_id(key, "x.json") == ok


@pytest.mark.parametrize("key", ["", "-1", "4294967296", "(1, 2)", "(1, 2, 300, 4)", "1.0", "(1, 2, 3, 4); drop", "٣"])
def test_keys_that_are_none(key):
    with pytest.raises(DatasetError, match=r"x\.json: '.*' is neither an id nor a colour"):
        key_id(key, "x.json")


@pytest.mark.parametrize("label", [{"class": 3}, {"class": {"a": "b"}}, ["x"], 17, {"class": "two\nlines"}, {"class": "x" * 300}])
def test_labels_that_are_no_names(folder, label):
    change(folder / "instance_segmentation_semantics_mapping_0002.json", lambda d: {k: label for k in d})
    if label == ["x"]:
        assert import_folder(folder, folder.parent / "out").categories == {"x": 5}
    else:
        refused(folder, "a label is a|is no name")


def test_camera_parameters(folder):
    path = folder / "camera_params_0002.json"
    change(path, lambda d: {**d, "renderProductResolution": [57, 40]})
    refused(folder, r"frame 0002 is of \[57, 40\] pixels, its picture is 56 × 40")
    change(path, lambda d: {**d, "renderProductResolution": [56, 40], "cameraViewTransform": [1.0] * 16})
    refused(folder, r"camera_params_0002\.json: frame 0002: not camera parameters of Replicator's \(LinAlgError")
    change(path, lambda d: {**d, "cameraViewTransform": [1.0] * 15})
    refused(folder, r"frame 0002: not camera parameters")
    path.write_text("[]")
    refused(folder, "not a JSON object but a list")


@pytest.mark.parametrize(("values", "text"), [
    ({"cameraFocalLength": 10**399}, r"not camera parameters of Replicator's \(OverflowError"),
    ({"cameraViewTransform": [10**399] * 16}, r"not camera parameters of Replicator's \(OverflowError"),
    ({"cameraFocusDistance": "far"}, r"not camera parameters of Replicator's \(ValueError"),
    ({"cameraFocusDistance": -1.0}, "its camera is not finite in metres"),
    ({"metersPerSceneUnit": "inf"}, "its camera is not finite in metres"),
    ({"metersPerSceneUnit": 1e10, "cameraFocusDistance": 1e308}, "its camera is not finite in metres"),
    ({"metersPerSceneUnit": 1e10, "cameraViewTransform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1e308, 0, 0, 1]},
     "its camera is not finite in metres"),
    ({"cameraAperture": [1e308], "cameraFocusDistance": 1e10}, "its camera is not finite in metres"),
    ({"cameraModel": "orthographic", "cameraAperture": [1e300], "metersPerSceneUnit": 1e300},
     "its camera is not finite in metres"),
])
def test_camera_numbers_out_of_range(folder, values, text):
    change(folder / "camera_params_0002.json", lambda d: {**d, "cameraModel": "pinhole", **values})
    refused(folder, rf"camera_params_0002\.json: frame 0002: {text}")


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("name", ["camera_params", "instance_segmentation_semantics_mapping", "bounding_box_2d_tight_labels"])
@pytest.mark.parametrize("levels", [40, 600])
def test_json_that_nests_too_deep(folder, name, levels):
    path = folder / f"{name}_0002.json"
    path.write_text(path.read_text().rstrip()[:-1] + f', "9": {nested(levels)}' + "}")
    refused(folder, rf"{name}_0002\.json: nests more than 32 levels deep")


@pytest.mark.parametrize("levels", [40, 600])
def test_poses_that_nest_too_deep(tmp_path, levels):
    folder = tmp_path / "pose"
    folder.mkdir()
    Image.new("RGB", (8, 6)).save(folder / "000000.png")
    (folder / "000000.json").write_text(f'{{"objects": [{{"label": "cube", "cuboid": {nested(levels)}}}]}}')
    refused(folder, r"000000\.json: nests more than 32 levels deep")


@pytest.mark.parametrize(("name", "kind", "value"), [
    ("semanticId", "<U8", "cube"), ("semanticId", "S4", b"cube"), ("semanticId", "<f4", np.nan), ("x_min", "<f4", np.nan),
    ("y_max", "<f8", np.inf), ("x_max", "<i4", (2, 2)), ("occlusionRatio", "<U3", "all"), ("x_min", "<M8[s]", 0)])
def test_box_fields_that_are_no_numbers(folder, name, kind, value):
    path = folder / "bounding_box_2d_tight_0002.npy"
    boxes = np.load(path)
    shape = value if isinstance(value, tuple) else ()
    spoiled = np.zeros(len(boxes), [(n, kind, shape) if n == name else (n, boxes.dtype[n]) for n in boxes.dtype.names])
    for n in boxes.dtype.names:
        spoiled[n] = boxes[n] if n != name else 0 if shape else value
    np.save(path, spoiled)
    refused(folder, rf"tight_0002\.npy: frame 0002 has .* for {name}, which is no bounding_box_2d_tight of Replicator's")


@pytest.mark.parametrize(("name", "kind"), [
    ("transform", ("<f4", (3, 3))), ("transform", ("<U2", (4, 4))), ("z_max", ("<U2", ()))])
def test_fields_of_3d_boxes_that_are_no_numbers(folder, name, kind):
    fields = [("semanticId", "<u4", ()), *((f"{a}_{end}", "<f4", ()) for end in ("min", "max") for a in "xyz"),
              ("transform", "<f4", (4, 4))]
    np.save(folder / "bounding_box_3d_0002.npy", np.zeros(1, [(n, *(kind if n == name else (k, s))) for n, k, s in fields]))
    refused(folder, rf"bounding_box_3d_0002\.npy: frame 0002 has .* for {name}, which is no bounding_box_3d of Replicator's")


def test_a_header_that_the_parser_of_python_gives_up_on(folder):
    """``ast.literal_eval`` ends as MemoryError there, in front of a header that says nothing of the kind."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"-" * 8000 + b"1,), }"
    (folder / "distance_to_image_plane_0002.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    refused(folder, r"distance_to_image_plane_0002\.npy: not a readable \.npy array")


@pytest.mark.parametrize("kind", [b"iCCP", b"tRNS", b"gAMA", b"pHYs", b"cHRM", b"zTXt", b"iTXt", b"acTL", b"fcTL", b"eXIf"])
@pytest.mark.parametrize("name", ["rgb", "instance_segmentation"])
def test_a_chunk_cut_short_behind_the_pixels(folder, tmp_path, name, kind):
    """Pillow reads those after the pixels are there; some it takes, none may end in anything but a line or a dataset."""
    path = folder / f"{name}_0002.png"
    data = path.read_bytes()
    for body in (b"", b"x", b"x\0"):
        chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        path.write_bytes(data[:-12] + chunk + data[-12:])                    # in front of IEND
        try:
            read_picture(path)
        except DatasetError as error:
            assert "not a readable picture" in str(error)
            refused(folder, rf"{name}_0002\.png: not a readable picture")


def test_an_unknown_camera_model_is_kept_but_not_understood(folder, tmp_path):
    changed = {"cameraModel": "fisheyePolynomial", "cameraNearFar": [1.0, float("inf")]}
    change(folder / "camera_params_0002.json", lambda d: {**d, **changed})
    import_folder(folder, tmp_path / "out")
    with Dataset.read(tmp_path / "out") as read:
        view = read[0].frames[0].view
        assert "pose" not in view and view["camera_params"]["cameraNearFar"] == [1.0, None] and read.inspect().passed


def test_links_are_not_followed(folder, tmp_path):
    secret = tmp_path.parent / "secret.json"
    secret.write_text("{}")
    os.symlink(secret, folder / "camera_params_0003.json")
    refused(folder, r"camera_params_0003\.json: is a link", InputError)
    os.unlink(folder / "camera_params_0003.json")
    os.symlink(tmp_path.parent, folder / "rgb")
    refused(folder, "rgb: is a link", InputError)
    os.unlink(folder / "rgb")
    os.mkfifo(folder / "rgb_0003.png")
    refused(folder, r"rgb_0003\.png: is not a file", InputError)


@pytest.mark.parametrize("name", [b"top\xff", b"top\nside", b"\x1b[2J"])
def test_file_names_that_nobody_can_print(folder, name):
    """A folder's name becomes a camera's; in UTF-8 columns and on one line there is no place for such."""
    os.mkdir(os.fsencode(folder) + b"/" + name)
    refused(folder, "'.*' is no name that can be printed; rename it", InputError)


def test_folders_that_never_end(tmp_path):
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    with pytest.raises(InputError, match="deeper than writers of Replicator's nest"):
        listing(tmp_path)


def test_arrays_never_run_code_or_fill_memory(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    path = tmp_path / "x.npy"
    np.save(path, np.array([Evil()], object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"x\.npy: not a readable \.npy array"):
        read_array(path)
    assert not (tmp_path / "pwned").exists()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (12000, 12000), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64)   # claims 0.6 GB
    with pytest.raises(DatasetError, match=r"x\.npy: not a readable \.npy array"):
        read_array(path)
    for junk in (b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", b"PK\x03\x04" + b"\0" * 40, b"\x80\x04."):
        path.write_bytes(junk)
        with pytest.raises(DatasetError, match=r"x\.npy: not a readable"):
            read_array(path)
    cut = b"{'descr': '<f4', 'shape': (2,), 'fortran_order': False, 'x"       # numpy's second try at a header raises TokenError
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(cut) + 2) + cut + b"\n(" + b"\0" * 8)
    with pytest.raises(DatasetError, match=r"x\.npy: not a readable"):
        read_array(path)
    np.save(path, np.zeros(0, [("semanticId", "<u4"), ("x_min", "<i4")]))    # a frame without boxes is in order
    assert read_array(path).shape == (0,) and read_array(path).dtype.names == ("semanticId", "x_min")


def test_pictures_that_claim_too_much(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "x.png"
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    path.write_bytes(head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
    with pytest.raises(DatasetError, match=r"x\.png: 60000 × 60000 pixels|x\.png: not a readable picture"):
        read_picture(path)
    for junk in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        path.write_bytes(junk)
        with pytest.raises(DatasetError, match=r"x\.png: not a readable picture"):
            read_picture(path)
    Image.new("CMYK", (3, 3)).save(tmp_path / "c.jpg")
    with pytest.raises(DatasetError, match="mode 'CMYK'"):
        read_picture(tmp_path / "c.jpg")


def test_json_that_is_none(tmp_path):
    path = tmp_path / "x.json"
    halves = r'"\ud800"', r'{"a": [{"\udfff": 1}]}', "\ud800".encode("utf-8", "surrogatepass")
    for junk in ("", "{", "[" * 200_000, "nul", *halves):
        path.write_bytes(junk if isinstance(junk, bytes) else junk.encode())
        with pytest.raises(DatasetError, match=r"x\.json: not JSON"):
            read_json(path)


@pytest.mark.parametrize(("text", "message"), [
    ("frame,sample\n", "its columns are not frame, sample, unit, split"),
    ("frame,sample,unit,split\n0002,a,u,dev\n", "line 2: not one new frame"),
    ("frame,sample,unit,split\n0002,a,u,val\n0002,a,u,val\n", "line 3: not one new frame"),
    ("frame,sample,unit,split\n0001,a,u,val\n0002,a,u,train\n", "line 3: unit u is in val and in train; split by unit"),
    ("frame,sample,unit,split\n0001,a,u,val\n", "says nothing of frame 0002"),
    ("frame,sample,unit,split\n0002,a\x1b[31m,u,val\n", "is no name"),
])
def test_side_files_are_checked(folder, text, message):
    (folder / "frames.csv").write_text(text)
    refused(folder, message)


@pytest.mark.parametrize("seed", range(12))
def test_spoiled_bytes_end_in_one_line_or_in_a_dataset(folder, tmp_path, seed):
    """Any file with bytes changed, cut or replaced: the result is an error of ours, or a dataset that the gate can read."""
    rng = np.random.default_rng(seed)
    files = sorted(p for p in folder.iterdir())
    for path in (files[k] for k in rng.choice(len(files), 2, replace=False)):
        data = bytearray(path.read_bytes())
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(len(data)))
            data[at:at + int(rng.integers(0, 4))] = rng.integers(0, 256, int(rng.integers(0, 4))).astype(np.uint8).tobytes()
        path.write_bytes(bytes(data))
    try:
        import_folder(folder, tmp_path / "out")
    except InputError as error:
        assert "\n" not in str(error) and not (tmp_path / "out").exists()
        return
    with Dataset.read(tmp_path / "out") as read:
        read.inspect()


def test_names_do_not_leave_the_dataset(folder, tmp_path):
    """Prim paths and classes are text in columns and escaped in the report: no file or markup is made of them."""
    evil = "../../<script>alert(1)</script>"
    change(folder / "instance_segmentation_semantics_mapping_0002.json",
           lambda d: {k: ({"class": evil} if v["class"] == "soic" else v) for k, v in d.items()})
    import_folder(folder, tmp_path / "out")
    with Dataset.read(tmp_path / "out") as read:
        read.inspect()
        assert evil in {i.category for i in read[0].instances}
        assert "<script>alert" not in (tmp_path / "out/report/index.html").read_text()
        read.export("kitti", tmp_path / "kitti")
        assert "script_alert_1_script" in (tmp_path / "kitti/classes.txt").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kitti", "out", "sdg"]
