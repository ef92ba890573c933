"""The reconcile of a Pipeline: whether it can work, which Model it serves, and how it comes to serve it."""
