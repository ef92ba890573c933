"""Two runs beside each other as one page of HTML, with nothing outside it and nothing in it that runs."""

from collections.abc import Iterable, Iterator
from html import escape

from penstock.cli.comparison_sections import Section, value_words
from penstock.decide.commands.compare_runs import RunComparison
from penstock_jobs.report_style import style_sheet

# As in the report: were anything to get past the escaping, a browser would not run it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(comparison: RunComparison, sections: Iterable[Section]) -> str:
    """Return the document; whatever a user named is escaped."""
    labels = comparison.first.label, comparison.second.label
    title = escape(f"{labels[0]} and {labels[1]}")
    pipelines = dict.fromkeys((comparison.first.pipeline, comparison.second.pipeline))
    body = "\n".join(_section(each, labels) for each in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{title}</title>
<style>
{style_sheet()}</style>
</head>
<body>
<main>
<header class="top">
<h1><small>Penstock comparison · {escape(" and ".join(pipelines))}</small>{title}</h1>
</header>
{body}
</main>
</body>
</html>
"""


def _section(section: Section, labels: tuple[str, str]) -> str:
    return "\n".join(("<section>", f"<h2>{escape(section.title)}</h2>", *_content(section, labels), "</section>"))


def _content(section: Section, labels: tuple[str, str]) -> Iterator[str]:
    # Sentences first: they say how the figures beneath are to be read.
    yield from (f"<p>{escape(each)}</p>" for each in section.sentences)
    if section.rows:
        yield _table(("", *labels), ((each.name, each.first, each.second) for each in section.rows))
    if section.differences:
        differing = ((each.path, value_words(each.first), value_words(each.second)) for each in section.differences)
        yield _table(("field", *labels), differing)


def _table(head: Iterable[str], content: Iterable[Iterable[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in content)
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
