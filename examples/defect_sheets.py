"""A contact sheet of each defect: python examples/defect_sheets.py out/sheets [samples of each level, default 2]

Generates close tiles of the shipped board with every defect at every severity level, and lays the crops out side by side with
their masks: magenta is what the camera sees, cyan what it would see were nothing in front. docs/defects.md shows these sheets.
"""
import sys
from collections import defaultdict
from pathlib import Path

import linetwin as lt
from generators.inspect.sheets import crop, sheet
from generators.inspect.show import severity_text

RECIPE = """\
linetwin: 1
scene: {scene}
seed: 18
count: 400
shard_size: 16
defective_fraction: 1.0
quotas_each: {each}
frames: {{view: tiles, tiles: cycle, pixel_um: 12, width: 800, height: 800}}
look:
  mask_color: {{choice: [green, dark_green, blue], weights: [6, 2, 1]}}
outputs: {{labels: [instance]}}
"""


def main(out: Path, each: int = 2) -> int:
    """Write one JPEG a defect into ``out``; returns how many."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "sheets.yaml"
    path.write_text(RECIPE.format(scene=(Path(__file__).parent / "inspector.scene.yaml").resolve(), each=each))
    recipe = lt.Recipe.read(path)
    scene = lt.Scene.read(recipe.scene)
    cells = lt.plan(scene, recipe).count_needed
    crops = defaultdict(list)
    for _ in lt.generate(scene, recipe.with_count(cells), out / "dataset"):
        pass
    for row in lt.Dataset.read(out / "dataset"):
        target = row.conditions["target"]
        shown = [i for i in row.instances if i.defect == target["defect"] and i.component == target["host"]]
        best = max(shown, key=lambda i: i.amodal_pixels)
        size = severity_text(best.severity, best.severity_unit)
        crops[best.defect].append((best.severity, crop(row.rgb(0), best, f"{best.component} {size}".strip(),
                                                       "hidden from this camera" if best.hidden else best.rule)))
    for name, found in crops.items():
        (out / f"{name}.jpg").write_bytes(sheet([c for _, c in sorted(found, key=lambda pair: pair[0])], columns=6))
    return len(crops)


if __name__ == "__main__":
    print(f"{main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))} sheets in {sys.argv[1]}")
