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


def merge_inputs(content: bytes, features: Sequence[FeatureSpec]) -> bytes:
    """Return the file with the inputs `numbers` (rows, numeric features) and `texts` (rows, string features).

    Args:
        content: an ONNX file with an input of shape (rows, 1) for each feature, under its name.
        features: the features in order.
    """
    model = onnx.load_from_string(content)
    graph = model.graph
    layout = BlockLayout(features)
    types = {entry.name: entry.type.tensor_type.elem_type for entry in graph.input}
    _move_aside(graph, {NUMBERS, TEXTS})
    inputs, nodes = [], []
    for name, columns in ((NUMBERS, layout.numbers), (TEXTS, layout.texts)):
        if not columns:
            continue
        inputs.append(helper.make_tensor_value_info(name, types[columns[0]], [None, len(columns)]))
        _read_at_once(graph, name, columns)
        nodes += _column_nodes(graph, name, columns)
    rest = list(graph.node)
    del graph.node[:], graph.input[:]
    graph.node.extend([*nodes, *rest])
    graph.input.extend(inputs)
    description = {NUMBERS: layout.numbers, TEXTS: layout.texts}
    model.metadata_props.add(key=METADATA, value=json.dumps(description, ensure_ascii=False))
    return bytes(model.SerializeToString(deterministic=True))


def _move_aside(graph: onnx.GraphProto, names: set[str]) -> None:
    """Rename what has the name of a new input."""
    for node in graph.node:
        for variables in (node.input, node.output):
            variables[:] = [f"{name}_column" if name in names else name for name in variables]
    for entry in (*graph.input, *graph.initializer):
        if entry.name in names:
            entry.name = f"{entry.name}_column"


def _read_at_once(graph: onnx.GraphProto, name: str, columns: Sequence[str]) -> None:
    """Let each node that joins columns take them from the matrix instead: all of them as it is, some by one Gather."""
    places = {_inner_name(column): place for place, column in enumerate(columns)}
    for node in graph.node:
        if node.op_type != "Concat" or len(node.input) < 2 or not set(node.input) <= places.keys():
            continue
        positions = [places[column] for column in node.input]
        del node.attribute[:]
        if positions == list(range(len(columns))):
            node.op_type = "Identity"
            node.input[:] = [name]
            continue
        indices = f"{node.output[0]}_columns"
        graph.initializer.append(numpy_helper.from_array(np.array(positions, dtype=np.int64), indices))
        node.op_type = "Gather"
        node.input[:] = [name, indices]
        node.attribute.append(helper.make_attribute("axis", 1))


def _column_nodes(graph: onnx.GraphProto, name: str, columns: Sequence[str]) -> list[onnx.NodeProto]:
    """Return a node for each column that something in the graph still takes alone."""
    used = {variable for node in graph.node for variable in node.input}
    nodes = []
    for place, column in enumerate(columns):
        inside = _inner_name(column)
        if inside in used:
            index = f"{inside}_place"
            graph.initializer.append(numpy_helper.from_array(np.array([place], dtype=np.int64), index))
            nodes.append(helper.make_node("Gather", [name, index], [inside], name=f"{inside}_column_of", axis=1))
    return nodes


def _inner_name(column: str) -> str:
    return f"{column}_column" if column in (NUMBERS, TEXTS) else column
