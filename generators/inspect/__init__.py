"""The dataset gate: is every label what its pixels say, is everything there, and would it fool a model's test?

    report = inspect_dataset(Dataset.read("out/hello"))
    print(report); sys.exit(0 if report.passed else 1)

It reads every byte and trusts none of it: digests, pictures, dense labels, run lengths, boxes, counts, quotas, duplicates,
leaks between splits. ``report/index.html`` shows what it saw. ``data/`` and ``meta/`` are only read.
Start reading at gate.py; what is checked on each row is in labels.py.
"""
from __future__ import annotations

from generators.inspect.gate import inspect_dataset

__all__ = ["inspect_dataset"]
