"""Twelve labelled samples of a small SMT line, checked and exported: python examples/hello.py out/hello

Needs no GPU and no network; CI runs it on every change.
"""
import sys
from pathlib import Path

import linetwin as lt


def main() -> int:
    out = Path(sys.argv[1])
    recipe = lt.Recipe.read(Path(__file__).with_name("hello.yaml"))   # what to vary, what to break, how many of each
    scene = lt.Scene.read(recipe.scene)                               # what the line is; SI units, checked on reading

    for sample in lt.generate(scene, recipe, out):                    # commits shards; run it again and it resumes
        found = [f"{i.defect} on {i.component or 'the board'}" for i in sample.instances if i.defect]
        print(sample.index, sample.split, ", ".join(found) or "good")

    dataset = lt.Dataset.read(out)
    dataset.export("coco", out / "coco")                              # verified by reading it back with pycocotools
    report = dataset.inspect()                                        # the gate: labels, coverage, duplicates, leaks
    print(report)
    return 0 if report.passed else 1


if __name__ == "__main__":                                            # workers import this file
    sys.exit(main())
