"""The report of a run: one HTML file, with nothing outside it."""

from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.page import REPORT, write_report

__all__ = ["REPORT", "Findings", "write_report"]
