"""Pictures and dense labels: lossless, readable by others, the same bytes every time, and never trusted on reading."""
from __future__ import annotations

import io
import os
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from generators import encoding
from scenes.errors import DatasetError

SIDES = st.integers(1, 40)


@given(st.sampled_from([("u1", (3,)), ("u1", ()), ("u2", ())]), SIDES, SIDES, st.sampled_from([0, 1, 6]), st.data())
@settings(max_examples=60)
def test_png_is_lossless_for_us_pillow_and_libpng(kind, height, width, level, data):
    dtype, channels = kind
    image = data.draw(arrays(dtype, (height, width, *channels)))
    png = encoding.png_encode(image, level=level)
    assert np.array_equal(encoding.image_decode(png, (width, height)), image)
    assert encoding.image_decode(png).dtype == image.dtype
    with Image.open(io.BytesIO(png)) as picture:
        picture.verify()
    assert np.array_equal(imagecodecs.png_decode(png), image)


def test_a_picture_larger_than_one_stored_block():
    image = np.arange(300 * 400 * 3, dtype=np.uint32).reshape(300, 400, 3).astype(np.uint8)
    png = encoding.png_encode(image)
    assert np.array_equal(encoding.image_decode(png), image)
    at = png.index(b"IDAT") + 4
    assert len(zlib.decompress(png[at:-16])) == 300 * (1 + 400 * 3)              # Python's own inflate accepts the stream


def test_the_same_picture_gives_the_same_bytes():
    image = np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)
    assert encoding.png_encode(image) == encoding.png_encode(np.asfortranarray(image)) == encoding.png_encode(image[::-1][::-1])


@given(st.binary(max_size=200))
@example(encoding.png_encode(np.zeros((4, 4), np.uint8))[:-30])
def test_bytes_that_are_no_picture_are_refused(data):
    with pytest.raises(DatasetError, match="picture"):
        encoding.image_decode(data)


def test_a_picture_of_another_size_is_refused_before_it_is_decoded():
    png = encoding.png_encode(np.zeros((8, 4, 3), np.uint8))
    with pytest.raises(DatasetError, match="4 × 8"):
        encoding.image_decode(png, (8, 4))
    huge = bytearray(png)
    huge[16:20] = (1 << 30).to_bytes(4, "big")                                   # the header claims 2³⁰ pixels
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
    with pytest.raises(DatasetError, match="picture"):
        encoding.image_decode(bytes(huge))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
def test_labels_are_lossless(dtype):
    array = np.random.default_rng(2).integers(0, 200, (17, 23)).astype(dtype)
    if dtype == "float32":
        array[0, 0], array[1, 1], array[2, 2] = np.inf, -0.0, np.float32(1e-42)    # nothing there, signed zero, subnormal
    back = encoding.label_decode(*encoding.label_encode("depth", array))
    assert back.dtype == array.dtype and back.tobytes() == array.tobytes()


def test_normals_are_within_their_stated_angle():
    """√3 / 254 rad = 0.39° is the bound from rounding three components by at most 1/254 each."""
    normal = np.random.default_rng(3).standard_normal((200, 300, 3))
    normal = (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)
    normal[0] = 0.0
    back = encoding.label_decode(*encoding.label_encode("normal", normal))
    assert not back[0].any()
    cosine = np.einsum("ijk,ijk->ij", back[1:], normal[1:], dtype=np.float64)
    angle = np.arccos(np.clip(cosine, -1, 1))
    assert np.sqrt(3) / 254 > angle.max() > 0.5 * np.sqrt(3) / 254
    assert np.linalg.norm(back[1:], axis=2) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("change", [
    {"shape": (5, 6)}, {"shape": (0, 4)}, {"shape": (1 << 20, 1 << 20)}, {"shape": ()}, {"encoding": "pickle"},
    {"dtype": "object"}, {"data": b"\x00" * 20}, {"data": b""}])
def test_labels_that_do_not_fit_their_shape_are_refused(change):
    name, dtype, shape, data = encoding.label_encode("part", np.ones((4, 4), np.uint16))
    row = {"encoding": name, "dtype": dtype, "shape": shape, "data": data, **change}
    with pytest.raises(DatasetError, match="label"):
        encoding.label_decode(row["encoding"], row["dtype"], row["shape"], row["data"])


def test_what_cannot_be_stored_is_said():
    with pytest.raises(TypeError, match="float64"):
        encoding.png_encode(np.zeros((4, 4)))
    with pytest.raises(TypeError, match="int64"):
        encoding.label_encode("instance", np.zeros((4, 4), np.int64))


@pytest.mark.parametrize("array", [np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.asfortranarray(np.eye(3)),
                                   np.zeros(0, [("a", "<u4"), ("b", "<i4")]), np.array(7.0), np.zeros((0, 5), np.uint8)])
def test_npy_of_others(tmp_path, array):
    """As numpy reads it, from a path and from an open file, and free to be written to; nothing larger than the limit."""
    np.save(tmp_path / "a.npy", array)
    size = (tmp_path / "a.npy").stat().st_size
    for source in (tmp_path / "a.npy", io.BytesIO((tmp_path / "a.npy").read_bytes())):
        found = encoding.read_npy(source, size)
        assert np.array_equal(found, np.load(tmp_path / "a.npy")) and found.dtype == array.dtype and found.flags.writeable
    with pytest.raises(ValueError, match=f"{size} bytes, at most {size - 1}"):
        encoding.read_npy(tmp_path / "a.npy", size - 1)
    (tmp_path / "link.npy").symlink_to(tmp_path / "a.npy")
    with pytest.raises(OSError, match="link"):
        encoding.read_npy(tmp_path / "link.npy", size)
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(ValueError, match="not a file"):
        encoding.read_npy(tmp_path / "pipe.npy", size)
