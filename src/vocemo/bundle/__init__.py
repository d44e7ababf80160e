"""A bundle: one file from the waveform to calibrated probabilities, and what it says of itself.

An `.onnx` file takes `samples` (batch, N) float32 and `lengths` (batch,) int64, the true length of each
row; a `.tflite` file takes one clip of fixed length, `samples` (1, N) float32 and `length` (1,) int32.
Both give `probabilities` and `logits` (batch, emotions), `embedding` (batch, D), where the description has
a limit for it `distance` (batch,), that of the embedding from those of training, and, where the model has it,
`attention` (batch, frames). Everything else that an answer needs (labels, sample rate, preparation,
calibration) and that a reader should know (licence, training, results) is one JSON object, `BundleInfo`,
under the key `vocemo` of the file's metadata. Opening a bundle runs no pickle.
"""

from vocemo.bundle.bundle import Bundle
from vocemo.bundle.engine import DEVICES, DISTANCE, OUTPUTS, Engine, usable_cores
from vocemo.bundle.info import FORMAT, METADATA_KEY, BundleInfo, TrainingInfo, Weights

__all__ = [
    "DEVICES",
    "DISTANCE",
    "FORMAT",
    "METADATA_KEY",
    "OUTPUTS",
    "Bundle",
    "BundleInfo",
    "Engine",
    "TrainingInfo",
    "Weights",
    "usable_cores",
]
