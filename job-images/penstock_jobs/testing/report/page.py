"""From findings to the page."""

import jinja2
from markupsafe import Markup

from penstock_jobs.report_style import style_sheet
from penstock_jobs.testing.report import classes, columns, data, details, errors, overview, scoreboard
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import display

REPORT = "report.html"


def write_report(findings: Findings) -> str:
    """Return the report as an HTML document: whatever a user named is escaped by the templates and the pictures."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("penstock_jobs.testing.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        style=Markup(style_sheet()),  # noqa: S704 - the package's own file
        run=findings.job.run,
        banner=overview.banner(findings),
        facts=overview.facts(findings),
        parameters=overview.parameters(findings),
        usage=overview.usage(findings),
        versions=overview.versions(findings),
        comparison=findings.comparison,
        difference=scoreboard.difference(findings),
        panels=scoreboard.panels(findings),
        sides=data.sides(findings),
        split=data.split(findings),
        proof=data.proof(findings),
        counted=data.dataset_counts(findings),
        dataset=findings.job.dataset_result,
        columns=columns.column_rows(findings),
        columns_note=columns.statistics_note(findings),
        columns_omitted=columns.columns_omitted(findings),
        remarks=columns.remarks(findings),
        confusion=classes.confusion_of(findings),
        pictures=[*classes.pictures(findings), *errors.pictures(findings)],
        importance=details.importance(findings),
        curves=details.curves(findings),
        candidates=details.candidates(findings),
        segments=details.segments(findings),
        models=details.models(findings),
        scorings=[display(findings, scorer.name).label for scorer in findings.scorers],
        shown=findings.shown.name,
        served=findings.job.served,
        serving=findings.shown.manifest.serving,
        minimum_points=findings.job.minimum_points,
    )
