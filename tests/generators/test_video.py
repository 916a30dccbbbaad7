"""Clips as MP4 with tracks, read back by PyAV and by plain readers of MOTChallenge and YouTube-VIS; clips in the gate."""
from __future__ import annotations

import configparser
import csv
import hashlib
import json
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import synthetic
from PIL import Image

from generators.dataset import Dataset, meta, shards
from generators.dataset.sample import Frame, Instance
from generators.exports import video
from generators.inspect import inspect_dataset
from generators.masks import rle_decode
from scenes.errors import BackendUnavailable, DatasetError, InputError

LENGTH, RATE, STEP = 8, 30000 / 1001, 3        # frames, [Hz], [px] from one to the next


def clip(index, height=47, width=64, split=None):
    """A synthetic sample whose board moves to the right; part 1's void stays hidden."""
    still = synthetic.sample(index, height=height, width=width)
    first = still.frames[0]
    rng = np.random.default_rng([9, index])
    frames, instances = [], []
    for k in range(LENGTH):
        def move(array, k=k):
            out = np.zeros_like(array)
            out[:, STEP * k:] = array[:, :width - STEP * k]
            return out

        rgb = np.clip(move(first.images["rgb"]).astype(int) + rng.integers(0, 3, (height, width, 3)), 0, 255).astype(np.uint8)
        ids = np.maximum(move(first.labels["instance"]), 1)
        frames.append(Frame("top", first.station, {"rgb": rgb}, {"instance": ids}, {
            **first.view, "clip": k, "time_s": k / RATE, "light": 1.0}))
        for item in still.instances:
            visible, amodal = move(item.visible), move(item.amodal)
            if amodal.any():
                instances.append(replace(item, frame=k, visible=visible, amodal=amodal, hidden=not visible.any()))
    return replace(still, frames=tuple(frames), instances=tuple(instances), split=split or still.split)


def write(root, samples):
    info = synthetic.info(shard_size=len(samples))
    meta.write_identity(root, info, {"recipe.yaml": "seed: 0\n", "scene.yaml": "name: bench\n"})
    shards.write_shard(root, 0, samples, info)
    meta.write_summary(root, info, len(samples))
    return root


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    with Dataset.read(write(tmp_path_factory.mktemp("clips") / "moving", [clip(i) for i in range(4)])) as opened:
        yield opened


@pytest.fixture(scope="module")
def exported(moving, tmp_path_factory):
    pytest.importorskip("av")
    out = tmp_path_factory.mktemp("out") / "mp4"
    return moving.export("mp4", out), out


def read_mot(folder):
    """gt.txt as a MOTChallenge reader has it: (frame, track) → (x, y, w, h, class, visibility), all counted from 0."""
    found = {}
    for line in (folder / "gt" / "gt.txt").read_text().splitlines():
        frame, track, x, y, w, h, conf, kind, share = line.split(",")
        assert conf == "1" and (int(frame) - 1, int(track)) not in found
        found[int(frame) - 1, int(track)] = (int(x) - 1, int(y) - 1, int(w), int(h), int(kind) - 1, float(share))
    return found


def test_videos_have_the_clips_frames_rate_and_colours(moving, exported):
    av = pytest.importorskip("av")
    report, out = exported
    assert report.images == 4 * LENGTH and report.samples == 4 and report.verified.startswith("PyAV")
    for row in moving:
        with av.open(str(out / row.split / row.id / "video.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.average_rate) == ("h264", Fraction(30000, 1001))
            assert (stream.width, stream.height) == (64, 48)                # 47 rows and the last one again
            pictures = list(container.decode(stream))
        assert [p.time for p in pictures] == pytest.approx([k / RATE for k in range(LENGTH)], abs=1e-3)
        for number, picture in enumerate(pictures):
            seen, made = picture.to_ndarray(format="rgb24")[:47].astype(float), row.rgb(number).astype(float)
            assert np.abs(seen.mean(axis=(0, 1)) - made.mean(axis=(0, 1))).max() < 3 and np.abs(seen - made).mean() < 12
            stored = Image.open(out / row.split / row.id / "img1" / f"{number + 1:06d}.png")
            assert np.array_equal(np.asarray(stored), row.rgb(number))


def test_gt_is_the_rows_tracks(moving, exported):
    _, out = exported
    names = [d.name for d in synthetic.TAXONOMY.defects] + list(synthetic.TAXONOMY.parts)
    for row in moving:
        folder, tracks = out / row.split / row.id, row.tracks()
        kept = {t: path for t, path in tracks.items() if any(box for _, box in path)}
        assert len(tracks) == len(kept) + 1 and all(t.category != "void" for t in kept)          # the void is never seen
        found = read_mot(folder)
        assert (folder / "gt" / "labels.txt").read_text().splitlines() == names
        expected = {(k, n): box for n, path in enumerate(kept.values(), 1) for k, (_, box) in enumerate(path) if box is not None}
        assert {key: value[:4] for key, value in found.items()} == expected
        table = list(csv.DictReader((folder / "gt" / "tracks.csv").open()))
        assert [(r["category"], r["component"]) for r in table] == [(t.category, t.component) for t in kept]
        assert {names[v[4]] for (_, n), v in found.items() if n == 1} == {table[0]["category"]}
        for (k, n), (*_, share) in found.items():
            item = next(i for i in row.instances if i.frame == k and (i.category, i.component) == (
                table[n - 1]["category"], table[n - 1]["component"]))
            assert share == pytest.approx(item.visible_pixels / item.amodal_pixels, abs=1e-4)
        info = configparser.ConfigParser()
        info.read(folder / "seqinfo.ini")
        assert dict(info["Sequence"]) == {"name": row.id, "imdir": "img1", "framerate": "29.97", "seqlength": str(LENGTH),
                                          "imwidth": "64", "imheight": "47", "imext": ".png"}


def test_tracks_of_a_split_hold_every_mask(moving, exported):
    _, out = exported
    for split in ("train", "val", "test"):
        data = json.loads((out / "annotations" / f"tracks_{split}.json").read_text())
        rows = {r.id: r for r in moving if r.split == split}
        assert {v["sample_id"] for v in data["videos"]} == set(rows) and all(v["length"] == LENGTH for v in data["videos"])
        assert all((out / name).is_file() for v in data["videos"] for name in v["file_names"])
        videos = {v["id"]: rows[v["sample_id"]] for v in data["videos"]}
        names = {c["id"]: c["name"] for c in data["categories"]}
        for track in data["annotations"]:
            row, kind = videos[track["video_id"]], names[track["category_id"]]
            for number, (rle, box, area) in enumerate(zip(track["segmentations"], track["bboxes"], track["areas"], strict=True)):
                item = [i for i in row.instances if i.frame == number and not i.hidden and i.category == kind
                        and i.component == track["attributes"]["component"]]
                assert (rle is None) == (not item)
                if item:
                    assert np.array_equal(rle_decode(rle), item[0].visible()) and area == item[0].visible_pixels
                    assert tuple(box) == item[0].box


def test_amodal_tracks_keep_what_is_hidden(moving, tmp_path):
    pytest.importorskip("av")
    report = moving.export("mp4", tmp_path / "out", masks="amodal", defects_only=True, split="train", quality=0)
    rows = [r for r in moving if r.split == "train"]
    defects = [i for r in rows for i in r.instances if i.defect]
    assert report.instances == len(defects) and any(i.defect == "void" for i in defects) and report.left_out["hidden"] == 0
    for row in rows:
        boxes = {(k, box) for path in row.tracks(masks="amodal").values() for k, box in path if box}
        assert {(k, v[:4]) for (k, _), v in read_mot(tmp_path / "out" / "train" / row.id).items()} <= boxes


def test_the_same_dataset_gives_the_same_bytes(moving, exported, tmp_path):
    _, out = exported
    moving.export("mp4", tmp_path / "again")

    def digests(root):
        files = (p for p in sorted(root.rglob("*")) if p.is_file())
        return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert digests(out) == digests(tmp_path / "again")
    av, pictures = pytest.importorskip("av"), [moving[0].rgb(k) for k in range(LENGTH)]
    assert len({video.movie(av, iter(pictures), Fraction(30)) for _ in range(20)}) == 1       # x264's mbtree would give three


def test_what_cannot_be_exported_says_why(dataset, moving, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="quality 60; 0 "):
        video.export(moving, tmp_path / "a", quality=60)
    with pytest.raises(InputError, match="masks 'both'"):
        video.export(moving, tmp_path / "a", masks="both")
    with pytest.raises(InputError, match="no split 'dev'"):
        video.export(moving, tmp_path / "a", split="dev")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BackendUnavailable, match=r"PyAV is not installed; pip install 'linetwin\[video\]'"):
        video.export(moving, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    monkeypatch.undo()
    pytest.importorskip("av")
    with pytest.raises(DatasetError, match="holds no clip; add 'clip:' to the recipe"):
        video.export(dataset, tmp_path / "b")
    with pytest.raises(DatasetError, match="no clip; there are: still pictures only"):
        dataset[0].tracks()
    with pytest.raises(DatasetError, match="no clip of camera 'side'; there are: top"):
        moving[0].tracks("side")


def test_the_other_exports_take_clips_as_frames(moving, tmp_path):
    report = moving.export("yolo", tmp_path / "yolo")
    assert (report.samples, report.images) == (4, 4 * LENGTH)


# ---------------------------------------------------------------------------------------------------------------- the gate

def checks(root, tmp_path):
    with Dataset.read(root) as opened:
        report = inspect_dataset(opened, out=tmp_path / "report")
    return report, {c.id: c for c in report.checks}


def test_frames_of_a_clip_are_no_duplicates_and_a_strip_shows_them(tmp_path):
    """A standing board: every frame repeats the last one but for noise."""
    def standing(index):
        made = clip(index)
        noise = np.random.default_rng(index)
        frames = tuple(replace(f, images={"rgb": made.frames[0].images["rgb"] // 2 + noise.integers(0, 2, (47, 64, 3), np.uint8)})
                       for f in made.frames)
        return replace(made, frames=frames)

    report, found = checks(write(tmp_path / "still", [standing(i) for i in range(4)]), tmp_path)
    assert all(found[name].passed for name in ("duplicates.exact", "duplicates.near", "leaks.pictures", "labels.tracks"))
    assert "4 clips of 32 frames" in found["labels.tracks"].message
    section = next(s for s in report.sections if s.title == "Clips")
    assert len(section.pictures) == 3 and "8 frames, here those at 0 s, 0.0667 s" in section.pictures[0].caption
    sheet = next(s for s in report.sections if s.title == "Defects")
    assert len(sheet.pictures) <= 8                                    # one frame of a clip stands for all


def test_things_that_change_their_ids_are_found(tmp_path):
    made = clip(0)
    items = [replace(i, ids=(77,)) if i.frame == 3 and i.component == "R0" else i for i in made.instances]
    frames = [replace(f, view={**f.view, "time_s": f.view["time_s"] * (1 + 0.1 * (k == 5))}) for k, f in enumerate(made.frames)]
    _, found = checks(write(tmp_path / "ids", [replace(made, frames=tuple(frames), instances=tuple(items))]), tmp_path)
    assert not found["labels.tracks"].passed
    assert any("shift on 'R0' has other ids" in e for e in found["labels.tracks"].examples)
    assert any("times do not rise by one step" in e for e in found["labels.tracks"].examples)


def test_two_things_of_one_name_are_refused(tmp_path):
    made = clip(1)
    twin: Instance = next(i for i in made.instances if i.component == "R0")
    with Dataset.read(write(tmp_path / "twins", [replace(made, instances=(*made.instances, twin))])) as opened, \
            pytest.raises(DatasetError, match="two of shift on 'R0' with the same ids"):
        opened[0].tracks()


def test_still_datasets_have_no_check_of_clips(finished, tmp_path):
    _, found = checks(finished, tmp_path)
    assert "labels.tracks" not in found
