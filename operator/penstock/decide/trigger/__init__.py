"""The reconcile of a Trigger: at which moments and events a run starts, and what becomes of those that start none."""
