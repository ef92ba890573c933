"""An ONNX file's inputs, one a feature, become two: a matrix of numbers and a matrix of strings (see `block` for why).

The file says in its metadata, under `penstock.features`, which columns these are, so that others can use it too.
"""

import json
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.block import METADATA, NUMBERS, TEXTS, BlockLayout
from penstock_jobs.models.conversion import rename_variables


def merge_inputs(content: bytes, features: Sequence[FeatureSpec]) -> bytes:
    """Return the file with the inputs `numbers` (rows, numeric features) and `texts` (rows, string features).

    Args:
        content: an ONNX file with an input of shape (rows, 1) for each feature, in their order.
        features: the features in order.
    """
    model = onnx.load_from_string(content)
    graph = model.graph
    layout = BlockLayout(features)
    types = {
        feature.name: entry.type.tensor_type.elem_type for feature, entry in zip(features, graph.input, strict=True)
    }
    inside = _move_aside(graph, features)
    inputs, nodes = [], []
    for name, columns in ((NUMBERS, layout.numbers), (TEXTS, layout.texts)):
        if not columns:
            continue
        inputs.append(helper.make_tensor_value_info(name, types[columns[0]], [None, len(columns)]))
        _read_at_once(graph, name, [inside[column] for column in columns])
        nodes += _column_nodes(graph, name, [inside[column] for column in columns])
    rest = list(graph.node)
    del graph.node[:], graph.input[:]
    graph.node.extend([*nodes, *rest])
    graph.input.extend(inputs)
    description = {NUMBERS: layout.numbers, TEXTS: layout.texts}
    model.metadata_props.add(key=METADATA, value=json.dumps(description, ensure_ascii=False))
    return bytes(model.SerializeToString(deterministic=True))


def _move_aside(graph: onnx.GraphProto, features: Sequence[FeatureSpec]) -> dict[str, str]:
    """Make room for the new inputs; return what each feature is called inside the graph: never what a person called it.

    All that merging adds begins with a prefix that no other name in the graph has.
    """
    names = {name for node in graph.node for name in (*node.input, *node.output)}
    names |= {entry.name for entry in (*graph.initializer, *graph.input, *graph.output)}
    prefix = "column"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    renamed = {name: f"{prefix}_{name}" for name in (NUMBERS, TEXTS)}
    renamed |= {entry.name: f"{prefix}{place}" for place, entry in enumerate(graph.input)}
    rename_variables(graph, renamed)
    return {feature.name: entry.name for feature, entry in zip(features, graph.input, strict=True)}


def _read_at_once(graph: onnx.GraphProto, name: str, columns: Sequence[str]) -> None:
    """Let each node that joins columns take them from the matrix instead: all of them as it is, some by one Gather."""
    places = {column: place for place, column in enumerate(columns)}
    joining = [
        node
        for node in graph.node
        if node.op_type == "Concat" and len(node.input) > 1 and set(node.input) <= places.keys()
    ]
    for number, node in enumerate(joining):
        positions = [places[column] for column in node.input]
        del node.attribute[:]
        if positions == list(range(len(columns))):
            node.op_type = "Identity"
            node.input[:] = [name]
            continue
        indices = f"{columns[0]}_joined{number}"
        graph.initializer.append(numpy_helper.from_array(np.array(positions, dtype=np.int64), indices))
        node.op_type = "Gather"
        node.input[:] = [name, indices]
        node.attribute.append(helper.make_attribute("axis", 1))


def _column_nodes(graph: onnx.GraphProto, name: str, columns: Sequence[str]) -> list[onnx.NodeProto]:
    """Return a node for each column that something in the graph still takes alone."""
    used = {variable for node in graph.node for variable in node.input}
    nodes = []
    for place, column in enumerate(columns):
        if column in used:
            index = f"{column}_place"
            graph.initializer.append(numpy_helper.from_array(np.array([place], dtype=np.int64), index))
            nodes.append(helper.make_node("Gather", [name, index], [column], name=f"{column}_of", axis=1))
    return nodes
