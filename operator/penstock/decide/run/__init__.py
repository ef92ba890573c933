"""The reconcile of a PipelineRun: `decide(observation, now)`, one policy a file."""
