"""Where a Pipeline keeps its files."""

from typing import Annotated, ClassVar

from penstock.api.addresses import stays_in_place
from penstock.api.credentials import StorageCredentials
from penstock.api.scalars import ACCOUNT, BUCKET, HTTP, RELATIVE_PATH, ResourceName
from penstock.api.schema import Rule, Value, field


class S3Storage(Value, frozen=True, kw_only=True):
    """A prefix of a bucket on any server that speaks S3 and honours conditional writes."""

    bucket: Annotated[str, field("The bucket. It must exist.", min_length=3, max_length=63, pattern=BUCKET)]
    prefix: (
        Annotated[
            str,
            field(
                "The prefix in the bucket. It belongs to this Pipeline alone.", max_length=512, pattern=RELATIVE_PATH
            ),
        ]
        | None
    ) = None
    endpoint: (
        Annotated[
            str,
            field(
                "The address of the server, where it is not Amazon's, as `http://s3.data:9000`.",
                max_length=512,
                pattern=HTTP,
            ),
        ]
        | None
    ) = None
    region: Annotated[str, field("The region, where the server has several.", min_length=1, max_length=63)] | None = (
        None
    )

    rules: ClassVar[tuple[Rule, ...]] = (stays_in_place("prefix"),)


class VolumeStorage(Value, frozen=True, kw_only=True):
    """A folder of a persistent volume. On a laptop `local.yaml` says which folder stands for the claim."""

    claim_name: Annotated[
        ResourceName,
        field(
            "The PersistentVolumeClaim, in the namespace of the object. Several jobs may mount it at once, so it "
            "should be ReadWriteMany."
        ),
    ]
    path: (
        Annotated[
            str,
            field(
                "The folder in the volume. It belongs to this Pipeline alone.", max_length=512, pattern=RELATIVE_PATH
            ),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (stays_in_place("path"),)


class GoogleStorage(Value, frozen=True, kw_only=True):
    """A prefix of a bucket of Google Cloud Storage."""

    bucket: Annotated[str, field("The bucket. It must exist.", min_length=3, max_length=222)]
    prefix: Annotated[str, field("The prefix in the bucket.", max_length=512, pattern=RELATIVE_PATH)] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (stays_in_place("prefix"),)


class AzureStorage(Value, frozen=True, kw_only=True):
    """A prefix of a container of Azure Blob Storage."""

    account: Annotated[str, field("The storage account.", min_length=3, max_length=24, pattern=ACCOUNT)]
    container: Annotated[str, field("The container. It must exist.", min_length=3, max_length=63)]
    prefix: Annotated[str, field("The prefix in the container.", max_length=512, pattern=RELATIVE_PATH)] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (stays_in_place("prefix"),)


class Storage(Value, frozen=True, kw_only=True):
    """A place for files: exactly one of `s3`, `pvc`, `gcs`, `azure`."""

    s3: Annotated[S3Storage, field("A bucket on a server that speaks S3.")] | None = None
    pvc: Annotated[VolumeStorage, field("A folder of a persistent volume.")] | None = None
    gcs: Annotated[GoogleStorage, field("A bucket of Google Cloud Storage.")] | None = None
    azure: Annotated[AzureStorage, field("A container of Azure Blob Storage.")] | None = None
    credentials: (
        Annotated[
            StorageCredentials,
            field("The Secrets with which it is reached. Without any, the pod's own identity is used."),
        ]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.s3), has(self.pvc), has(self.gcs), has(self.azure)].filter(given, given).size() == 1",
            "A storage is exactly one of s3, pvc, gcs and azure; keep the one that is meant.",
        ),
        Rule(
            "!(has(self.pvc) && has(self.credentials))",
            "A volume is mounted and needs no credentials; remove them.",
            field=".credentials",
        ),
    )
