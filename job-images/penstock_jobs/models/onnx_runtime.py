"""ONNX Runtime, which tells nobody what it runs.

Since 1.29 its wheels send an event to their maker for each process and session, and keep an identifier of the machine
in the user's cache folder, unless this variable is set before it is loaded (its Privacy.md, "Disabling Telemetry").
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from onnxruntime import InferenceSession, SessionOptions

__all__ = ["InferenceSession", "SessionOptions"]
