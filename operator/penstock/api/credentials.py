"""Where credentials are: always in a Secret, never in a manifest."""

from typing import Annotated

from penstock.api.scalars import WORD, ResourceName
from penstock.api.schema import Value, field


class CredentialKeys(Value, frozen=True, kw_only=True):
    """Which key of the Secret holds what."""

    access_key_id: Annotated[str, field("The key of the access key's id.", min_length=1, max_length=253)] | None = None
    secret_access_key: (
        Annotated[str, field("The key of the secret access key.", min_length=1, max_length=253)] | None
    ) = None
    session_token: Annotated[str, field("The key of the session token.", min_length=1, max_length=253)] | None = None
    username: Annotated[str, field("The key of the user's name.", min_length=1, max_length=253)] | None = None
    password: Annotated[str, field("The key of the password or token.", min_length=1, max_length=253)] | None = None
    ssh_private_key: Annotated[str, field("The key of the private SSH key.", min_length=1, max_length=253)] | None = (
        None
    )


class SecretReference(Value, frozen=True, kw_only=True):
    """A Secret in the namespace of the object, mounted only into the job that needs it.

    For S3 its keys are `accessKeyId`, `secretAccessKey` and, where there is one, `sessionToken`; for git over HTTPS
    `username` and `password`; for git over SSH `ssh-privatekey`. Who applies the manifest must be allowed to read it.
    """

    secret_name: Annotated[ResourceName, field("The name of the Secret.")]
    keys: Annotated[CredentialKeys, field("Where the Secret's keys have other names: which key holds what.")] | None = (
        None
    )


class SecretKey(Value, frozen=True, kw_only=True):
    """A value in a Secret in the namespace of the object, mounted only into the pod that needs it."""

    secret_name: Annotated[
        ResourceName, field("The name of the Secret. Who applies the manifest must be allowed to read it.")
    ]
    key: Annotated[str, field("The key that holds the value.", min_length=1, max_length=253, pattern=WORD)] = "url"


class StorageCredentials(Value, frozen=True, kw_only=True):
    """The credentials of a storage, apart for reading and for writing: a job that only reads never gets the second."""

    read: Annotated[SecretReference, field("The Secret for reading.")] | None = None
    write: (
        Annotated[
            SecretReference,
            field("The Secret for reading and writing. The one for reading serves where it is absent."),
        ]
        | None
    ) = None
