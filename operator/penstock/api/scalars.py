"""The kinds of text that fields share: names, quantities, durations, shares, numbers in quotes.

No field is a floating-point number: the API server and YAML readers change them (`1.0` arrives as `1`). Each kind has
the pattern with which the API server refuses what `penstock.api.quantities` could not read.
"""

from typing import Annotated

from msgspec import Meta

from penstock_jobs.contract.parameters import DECIMAL as DECIMAL
from penstock_jobs.contract.parameters import TIMESTAMP as TIMESTAMP

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
# Of metadata, which is for Python only: no CRD has these, and Go knows no lookahead.
QUALIFIED_NAME = (
    r"^(?![^/]{254})([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$"
)
NAME_PREFIX = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*-?)?$"
ANNOTATION = QUALIFIED_NAME.replace("a-z0-9", "A-Za-z0-9").replace("A-ZA-Z", "A-Z")
LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
WORD = r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
PYTHON_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
DOTTED_PATH = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$"
DURATION = r"^([0-9]{1,9}(ms|s|m|h|d|w))+$"
QUANTITY = r"^[0-9]{1,18}(\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[0-9]{1,2})?$"
SHARE = r"^(100(\.0{1,12})?%|[0-9]{1,2}(\.[0-9]{1,12})?%|[01]|0?\.[0-9]{1,15}|1\.0{1,15})$"
FACTOR = r"^[1-9][0-9]?(\.[0-9]{1,4})?$"
PERCENT = r"^[0-9]{1,6}(\.[0-9]{1,4})?%$"
RELATIVE_PATH = r"^[^/]+(/[^/]+)*$"
HTTP = r"^https?://[^/\s]+(/.*)?$"
INPUT_URI = r"^((s3|pvc|file)://.+|[^:]+)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[-+][0-9]{2}:[0-9]{2})?)?$"
CRON = r"^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|\S+ +\S+ +\S+ +\S+ +\S+)$"
PIPELINE_NAME = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
INPUT_NAME = r"^[a-z_][a-z0-9_]*$"
EXECUTION_NAME = r"^[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$"
ITEM_NAME = r"^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?$"
BUCKET = r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$"
# No password, bare or escaped: it would be in every snapshot.
GIT_URL = r"^(https?://[^/@\s]+(/[^\s]*)?|ssh://([^/:@%\s]+@)?[^/@\s]+(/[^\s]*)?|git@[^/:@%\s]+:[^\s]+)$"
EXTENDED_RESOURCE = r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$"
OVERRIDE_PATH = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
CONDITION_TYPE = r"^[A-Za-z][A-Za-z0-9.-]*$"
REASON = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
REVISION = r"^[^\s-][^\s]*$"
IMAGE = r"^[^\s]+$"
ACCOUNT = r"^[a-z0-9]+$"
TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+/-]*$"
NUMBER = r"^(-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?|-?inf|nan)$"

# In rules: a share with nothing on one side, and a duration of no length.
ALL_OR_NOTHING = r"^(0*([.]0+)?%?|100([.]0+)?%|1([.]0+)?)$"
DATE_FORMAT = r"^([^%]|%[YymdbBHIMSfpzjaA%]|%-[dmHIMS])+$"  # strptime's directives that the engine knows
NO_TIME = r"^(0+(ms|s|m|h|d|w))+$"

PHRASES = {
    CONDITION_TYPE: "the type of a condition, as Ready",
    REASON: "a word for programs, as ServedModelKept",
    DIGEST: "a digest, as sha256: and 64 hexadecimal digits",
    LABEL: "a name of small letters, digits and dashes, as gpu-large",
    LABEL_KEY: "the key of a label or taint, as nvidia.com/gpu",
    QUALIFIED_NAME: "the key of a label, as team or example.com/team",
    NAME_PREFIX: "the beginning of a name: small letters, digits, dashes and dots, as churn-",
    ANNOTATION: "the key of an annotation, as team or example.com/team",
    LABEL_VALUE: "the value of a label: letters, digits, dashes, dots and underscores",
    SUBDOMAIN: "a name of small letters, digits, dashes and dots, as churn-nightly",
    WORD: "a name of letters, digits, dashes, dots and underscores, as first-try",
    PYTHON_NAME: "a name of letters, digits and underscores, as max_depth",
    DOTTED_PATH: "a dotted path, as sklearn.linear_model.LogisticRegression",
    DURATION: "a duration; write one as 90s, 1h30m or 30d",
    QUANTITY: "a quantity; write one as 2, 500m or 2Gi",
    SHARE: 'a share between 0 and 1; write one as 20% or "0.2"',
    FACTOR: 'a factor of 1 or more, below 100; write one as "1.5"',
    PERCENT: "a number of per cent; write one as 150%",
    DECIMAL: 'a number; write one as "0.8"',
    RELATIVE_PATH: "a relative path without a slash at its ends, as team/churn",
    HTTP: "an address; write one as http://s3.data:9000",
    DATE_FORMAT: "made of strptime's directives, as %d.%m.%Y",
    INPUT_URI: "an address of s3://, pvc:// or file://, or a path",
    DATE: "a moment; write one as 2026-01-31 or 2026-01-31T00:00:00Z",
    TIMESTAMP: "a moment; write one as 2026-01-31T03:00:00Z",
    CRON: "a cron expression of five fields; write one as 0 3 * * *",
    PIPELINE_NAME: "a name of small letters, digits and dashes that begins with a letter, as churn",
    INPUT_NAME: "a name that SQL needs no quotes for: small letters, digits and underscores, as customers",
    EXECUTION_NAME: "a name of letters, digits, dashes, dots and underscores, as first-try",
    ITEM_NAME: "a name of letters, digits, dashes and underscores, as forest",
    BUCKET: "a bucket's name: small letters, digits, dashes and dots",
    GIT_URL: "the address of a git repository, without a user or password; write one as https://host/team/repository",
    EXTENDED_RESOURCE: "an extended resource, as nvidia.com/gpu",
    REVISION: "a branch, a tag or a commit, as main",
    IMAGE: "the name of an image, as registry/team/jobs:1.0",
    ACCOUNT: "the name of a storage account: small letters and digits",
    TIME_ZONE: "a time zone; write one as Europe/Paris",
    NUMBER: 'a number; write one as "0.8125"',
    OVERRIDE_PATH: "a path of fields below the Pipeline's spec, as training.keep",
}

# What was written there may hold a password, which no message may repeat.
NEVER_REPEATED = frozenset({GIT_URL})


def phrase(pattern: str) -> str:
    """Return what a text that matches the pattern is, in words."""
    return PHRASES.get(pattern, f"text of the form `{pattern}`")


ResourceName = Annotated[str, Meta(min_length=1, max_length=253, pattern=SUBDOMAIN)]
# The kinds of this API group; an object of theirs has a name that is a label's value too.
ObjectName = Annotated[str, Meta(min_length=1, max_length=63, pattern=SUBDOMAIN)]
Label = Annotated[str, Meta(min_length=1, max_length=63, pattern=LABEL)]
Word = Annotated[str, Meta(min_length=1, max_length=63, pattern=WORD)]
ColumnName = Annotated[str, Meta(min_length=1, max_length=256)]
DottedPath = Annotated[str, Meta(max_length=253, pattern=DOTTED_PATH)]
Duration = Annotated[str, Meta(max_length=32, pattern=DURATION)]
Quantity = Annotated[int | str, Meta(extra_json_schema={"maxLength": 32, "pattern": QUANTITY})]
Share = Annotated[str, Meta(min_length=1, max_length=20, pattern=SHARE)]
Factor = Annotated[str, Meta(min_length=1, max_length=8, pattern=FACTOR)]
Decimal = Annotated[str, Meta(min_length=1, max_length=40, pattern=DECIMAL)]
Uri = Annotated[str, Meta(min_length=1, max_length=2048)]
StatusUri = Annotated[str, Meta(min_length=1, max_length=512)]  # a status has room for no more than 32 KiB
Digest = Annotated[str, Meta(max_length=72, pattern=DIGEST)]
Timestamp = Annotated[str, Meta(max_length=40, pattern=TIMESTAMP)]
StatusTime = Annotated[str, Meta(max_length=24, pattern=TIMESTAMP)]  # to the second, as Kubernetes writes its own
