"""The runtime runs a model: samples in, emotions out (NumPy and ONNX Runtime, no PyTorch)."""
