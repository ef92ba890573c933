"""The style sheet of the report, for whatever else is written as a page of the same look."""

from importlib.resources import files


def style_sheet() -> str:
    """Return the style sheet, in CSS; nothing of it comes from outside the file."""
    return (files("penstock_jobs") / "testing" / "report" / "templates" / "style.css").read_text("utf-8")
