"""From findings to the page."""

import jinja2

from penstock_jobs.testing.report.findings import Findings

REPORT = "report.html"


def write_report(findings: Findings) -> str:
    """Return the report as an HTML document."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("penstock_jobs.testing.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(findings=findings)
