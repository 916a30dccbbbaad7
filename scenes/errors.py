"""What linetwin raises on purpose, and the exit code the command line gives it.

LinetwinError
├─ InputError (2)         the caller's file or value; also a ValueError
│  ├─ SceneError          carries the prim path, or file and line
│  ├─ RecipeError         carries the file and the dotted key
│  ├─ AssetError          a mesh, texture or board file is missing or unreadable
│  ├─ ModelError          not a model folder of ours, or one that we refuse to load
│  └─ DatasetError        not a dataset, or a digest does not match
│     └─ ResumeError      the target was made from another recipe; prints both digests
├─ BackendError (3)       a renderer, Ray or torch failed while running
│  └─ BackendUnavailable  it cannot start; names the extra or the setting that is missing
├─ StorageError (4)       full disk, read-only or unreachable target; what was committed stays
└─ InvariantError (70)    mask, box and area disagree: our bug; the sample id reproduces it

A failed gate or verdict is not an error. It is a Report, and exit code 1. A message is one line:
``where: what is wrong; what to do``.
"""
from __future__ import annotations


class LinetwinError(Exception):
    """Root of everything that linetwin raises on purpose."""

    exit_code = 70


class InputError(LinetwinError, ValueError):
    """The caller's file or value cannot be used."""

    exit_code = 2


class SceneError(InputError):
    """A scene file, board or component that does not make sense."""


class RecipeError(InputError):
    """A recipe that cannot be read or cannot be met."""


class AssetError(InputError):
    """A mesh, texture or board file is missing, unreadable or outside its allowed folder."""


class ModelError(InputError):
    """Not a model folder of ours, or one that we refuse to load."""


class DatasetError(InputError):
    """Not a dataset, or its bytes do not match their digest."""


class ResumeError(DatasetError):
    """The target folder was made from another recipe."""


class BackendError(LinetwinError):
    """A renderer, Ray or torch failed while it ran."""

    exit_code = 3


class BackendUnavailable(BackendError):
    """A renderer, Ray or torch cannot start here."""


class StorageError(LinetwinError):
    """Full disk, read-only or unreachable target. What was committed stays."""

    exit_code = 4


class InvariantError(LinetwinError):
    """Two views of the same fact disagree: a bug of ours."""

    exit_code = 70


__all__ = [
    "AssetError", "BackendError", "BackendUnavailable", "DatasetError", "InputError", "InvariantError",
    "LinetwinError", "ModelError", "RecipeError", "ResumeError", "SceneError", "StorageError",
]
