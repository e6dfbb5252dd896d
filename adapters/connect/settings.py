"""What an operator sets for one instance of Amazon Connect."""

from typing import Annotated

from msgspec import Meta, Struct

from adapters._common.sigv4 import AwsKey


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instance.

    ``api_key`` is what our own sender in AWS (Firehose, EventBridge or a function) gives with each
    delivery; without it the path's secret alone is the proof. ``instance_id`` refuses records of
    other instances, and is needed to ask who rang. ``aws_…`` is the key that reads finished
    analyses from S3 and asks who rang. ``partial_results`` shows words that are still being
    recognised. ``s3_base`` and ``connect_base`` are other addresses than Amazon's own.
    """

    api_key: str = ""
    instance_id: str = ""
    aws_region: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    partial_results: bool = False
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    s3_base: str = ""
    connect_base: str = ""

    def __post_init__(self) -> None:
        """Refuse half a key of Amazon's."""
        aws = (self.aws_region, self.aws_access_key_id, self.aws_secret_access_key)
        if any(aws) and not all(aws):
            raise ValueError("aws_region and both parts of the aws key belong together")

    @property
    def aws_key(self) -> AwsKey:
        """Return the key that signs our calls."""
        return AwsKey(id=self.aws_access_key_id, secret=self.aws_secret_access_key)
