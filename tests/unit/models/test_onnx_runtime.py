"""Penstock sends nothing to anybody, and nor does what it runs Models with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_LOAD = """
import sys
from onnx import TensorProto, helper
{imported}
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "graph", [value("x")], [value("y")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
InferenceSession(model.SerializeToString())
"""


@pytest.mark.parametrize(
    ("imported", "identified"),
    [
        ("from penstock_jobs.models.predictors import InferenceSession", False),
        # So that this test would notice another place or another variable.
        ("from onnxruntime import InferenceSession", True),
    ],
)
def test_a_session_leaves_no_identifier_of_the_machine(tmp_path: Path, imported: str, identified: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    subprocess.run(
        [sys.executable, "-c", _LOAD.format(imported=imported)],
        env={**environment, "HOME": str(tmp_path)},
        check=True,
        timeout=120,
    )

    assert bool([file.name for file in tmp_path.rglob("deviceid")]) == identified
