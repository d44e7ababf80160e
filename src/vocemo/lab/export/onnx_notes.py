"""What torch's exporter notes in a graph beside the graph: which line of which file made each node, and more.

Of these only the modules around a node are of use to whoever opens the file; lines and files are those of the
machine that exported it, and nobody else's business.
"""

from __future__ import annotations

from typing import Any

from vocemo.lab.export.onnx_weights import SCOPES


def strip_notes(model: Any) -> None:
    """Remove all of a graph's notes but the modules around each node, in place; the model's own stay."""
    graph = model.graph
    for noted in (graph, *graph.input, *graph.output, *graph.value_info, *graph.initializer, *graph.node):
        kept = [entry for entry in noted.metadata_props if entry.key == SCOPES]
        del noted.metadata_props[:]
        noted.metadata_props.extend(kept)
        noted.doc_string = ""
