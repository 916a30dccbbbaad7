"""One unit before three instruments, laid over each other by their stored cameras: python examples/event.py out/event.jpg

What the X-ray machine sees of a unit is cut out of the colour and the infrared picture through ``generators.registration``:
no marks, no fitting. Needs no GPU and no network; CI runs it on every change.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_sample
from generators.dataset.rows import View
from generators.inspect.modalities import shown
from generators.registration import carried, homography
from scenes.scene import Scene

HEIGHT = 0.6e-3                                # [m] above the board, where the pictures are laid over each other
SIDE = 640                                     # [px] of each picture

recipe = Recipe.read(Path(__file__).parent / "inspector.modalities.yaml")
with Context(Scene.read(recipe.scene), recipe) as context:
    sample = make_sample(context, int(sys.argv[2]) if len(sys.argv) > 2 else 3)

frames = {next(iter(f.images)): f for f in sample.frames}
cameras = {kind: View(f.camera, f.station, f.view["width"], f.view["height"], f.view).looking() for kind, f in frames.items()}
across = (np.arange(SIDE) + 0.5) * cameras["xray"].width / SIDE
down = (np.arange(SIDE) + 0.5) * cameras["xray"].height / SIDE
pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)

pictures = []
for kind, frame in frames.items():
    picture = shown(kind, frame.images[kind])
    x, y = carried(pixels, homography(cameras["xray"], cameras[kind], HEIGHT)).T - 0.5
    pictures.append(np.stack([map_coordinates(picture[..., c], (y, x), order=1, mode="nearest").reshape(SIDE, SIDE)
                              for c in range(3)], axis=-1))
out = Path(sys.argv[1])
out.parent.mkdir(parents=True, exist_ok=True)
gap = np.full((SIDE, 8, 3), 255, np.uint8)
Image.fromarray(np.hstack([pictures[0], gap, pictures[1], gap, pictures[2]])).save(out, quality=88)
defects = sorted({i.defect for i in sample.instances} - {""})
print(f"{out}: colour, infrared and X-ray of unit {sample.unit}; defects: {', '.join(defects) or 'none'}")
