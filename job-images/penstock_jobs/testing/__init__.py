"""Testing: score Models on points that they never saw, compare the best with the one that is served, and report."""

from penstock_jobs.testing.job import test

__all__ = ["test"]
