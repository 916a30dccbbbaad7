"""training_bridge: a dataset becomes a model, and a model meets a line.

For: crops of a product's parts, golden references, the compact image model, training, validation, the statistics of a verdict.
Not for: how a picture is made (generators) or which units are made (domain_randomization).
May import: domain_randomization, generators, scenes, numpy, scipy, pillow, pydantic; torch inside the functions that
need it only. Never: linetwin, OpenGL, ray, and no family by name.
Promise: the same dataset, seed and thread count give the same weights; a model folder holds no pickle.
Start reading at train.py, then layout.py, references.py and validate.py.
"""
from training_bridge.adapt import adapt
from training_bridge.control import control
from training_bridge.model import Model, ModelCard, load
from training_bridge.score import Verdict, score
from training_bridge.train import train
from training_bridge.validate import validate
from training_bridge.verdict import Limits

__all__ = ["Limits", "Model", "ModelCard", "Verdict", "adapt", "control", "load", "score", "train", "validate"]
