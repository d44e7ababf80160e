"""Encoders that were trained elsewhere: one file a kind, filed in `ENCODERS` by the name that recipes use."""

from vocemo.lab.models.encoders import byol_s, efficientat, ge2e, local_transformers, moonshine
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, Encoder, StagedEncoder, States
from vocemo.lab.models.encoders.partway import Partway

__all__ = [
    "ENCODERS",
    "Credit",
    "Encoder",
    "Partway",
    "StagedEncoder",
    "States",
    "byol_s",
    "efficientat",
    "ge2e",
    "local_transformers",
    "moonshine",
]
