"""A TFLite file taken apart and put together again: its description, and where its constants lie."""

from __future__ import annotations

from typing import Any

from vocemo.bundle import METADATA_KEY, BundleInfo, flatbuffer

ALIGNMENT = 16  # bytes; TFLite's schema asks for it, and vector units of phones read so


def with_description(content: bytes, info: BundleInfo) -> bytes:
    """A TFLite file's bytes with a description among its metadata."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content)
    model.buffers = model.buffers or []
    model.metadata = model.metadata or []
    buffer = schema.BufferT()
    buffer.data = list(info.to_json().encode())
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA_KEY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)
    return packed(model, content)


def packed(model: Any, content: bytes) -> bytes:
    """The bytes of a model of TFLite's schema.

    content: the file that the model was read from; constants that lie behind its tables are taken in among
    them, since older interpreters look for them there.
    """
    import flatbuffers
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    class Aligned(schema.BufferT):  # type: ignore[misc]  # the schema is generated without annotations
        def Pack(self, builder: Any) -> Any:
            if self.data is not None:
                builder.Prep(ALIGNMENT, len(self.data))
            return super().Pack(builder)

    for buffer in model.buffers:
        if buffer.offset and buffer.size:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
        elif buffer.data is not None:
            buffer.data = np.asarray(buffer.data, np.uint8)
        buffer.__class__ = Aligned
    builder = flatbuffers.Builder(len(content) + 2**16)
    builder.Finish(model.Pack(builder), flatbuffer.IDENTIFIER)
    return bytes(builder.Output())
