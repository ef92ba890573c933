"""The kinds of text that fields share: names, quantities, durations, shares, numbers in quotes.

No field is a floating-point number: the API server and YAML readers change them (`1.0` arrives as `1`). Each kind has
the pattern with which the API server refuses what `penstock.api.quantities` could not read.
"""

from typing import Annotated

from msgspec import Meta

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
WORD = r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
PYTHON_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
DOTTED_PATH = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$"
DURATION = r"^([0-9]{1,9}(ms|s|m|h|d|w))+$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[0-9]+)?$"
SHARE = r"^((100|[0-9]{1,2})(\.[0-9]{1,12})?%|[01]|0?\.[0-9]{1,15}|1\.0+)$"
DECIMAL = r"^[-+]?[0-9]{1,18}(\.[0-9]{1,18})?$"

ResourceName = Annotated[str, Meta(min_length=1, max_length=253, pattern=SUBDOMAIN)]
Label = Annotated[str, Meta(min_length=1, max_length=63, pattern=LABEL)]
Word = Annotated[str, Meta(min_length=1, max_length=63, pattern=WORD)]
ColumnName = Annotated[str, Meta(min_length=1, max_length=256)]
DottedPath = Annotated[str, Meta(max_length=253, pattern=DOTTED_PATH)]
Duration = Annotated[str, Meta(max_length=32, pattern=DURATION)]
Quantity = Annotated[int | str, Meta(extra_json_schema={"maxLength": 32, "pattern": QUANTITY})]
Share = Annotated[str, Meta(min_length=1, max_length=20, pattern=SHARE)]
Decimal = Annotated[str, Meta(min_length=1, max_length=40, pattern=DECIMAL)]
Uri = Annotated[str, Meta(min_length=1, max_length=2048)]
Digest = Annotated[str, Meta(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")]
Timestamp = Annotated[str, Meta(max_length=40, extra_json_schema={"format": "date-time"})]
