"""The lab makes a model: corpora, features, training, evaluation, export (PyTorch)."""
