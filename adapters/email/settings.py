"""What an operator sets for one mailbox: how its relay proves mails, and where answers leave."""

import base64
from typing import Annotated, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate
from msgspec import Meta, Struct

from adapters._common.sigv4 import AwsKey
from router.channel.contract import Capabilities

# A mail has no limit of length that a written answer could meet.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=100_000,
    media_in=frozenset({"image", "voice", "video", "file"}),
    receipts=True,
)


def key_bytes(given: str) -> bytes:
    """Return a key's bytes from Base64; ValueError if it is none."""
    return base64.b64decode(given.encode("ascii"), validate=True)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mailbox, ``address``, that a relay delivers to us; without it mails are only read.

    A delivery is taken by whichever proof is set: ``signing_key`` (Mailgun), ``public_key_b64``
    (SendGrid's signed events), ``topic_arn`` with ``sns_certificates`` (Amazon SES through SNS;
    PEM, as Amazon publishes them) or ``basic_user`` and ``basic_password`` in the address (any
    relay). ``check_headers`` says that Mailgun's ``X-Mailgun-Spf`` and ``-Dkim-Check-Result`` are
    its own, because its spam filter is on. ``mailgun_api_key`` fetches stored attachments.
    ``max_age_minutes`` is how old a signature may be: long enough for the relay's repetitions.
    ``aws_…`` is the key that may read the mails that SES puts into S3 (at ``s3_base``, if not at
    Amazon's own address). The ``smtp_…`` settings say where answers leave; ``plus_addressing``
    puts the thread into the address that is answered to.
    """

    address: str = ""
    signing_key: str = ""
    public_key_b64: str = ""
    topic_arn: str = ""
    sns_certificates: tuple[str, ...] = ()
    basic_user: str = ""
    basic_password: str = ""
    check_headers: bool = False
    mailgun_api_key: str = ""
    max_age_minutes: Annotated[int, Meta(ge=1, le=4320)] = 480
    subject: str = "Your message to us · 您的来信"
    plus_addressing: bool = False
    aws_region: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    s3_base: str = ""
    smtp_host: str = "localhost"
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""

    def __post_init__(self) -> None:
        """Refuse a mailbox that anybody could write for, and keys that are none."""
        local, _, domain = self.address.rpartition("@")
        fine = local and domain and self.address.isascii() and self.address.isprintable()
        if self.address and not fine:
            raise ValueError("address must be a mail address such as support@shop.example")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("smtp_user and smtp_password belong together: give both or neither")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("smtp_security must not be none where a password is sent")
        aws = (self.aws_region, self.aws_access_key_id, self.aws_secret_access_key)
        if any(aws) and not all(aws):
            raise ValueError("aws_region and both parts of the aws key belong together")
        try:
            if self.public_key_b64:
                load_der_public_key(key_bytes(self.public_key_b64))
            for each in self.sns_certificates:
                load_pem_x509_certificate(each.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("public_key_b64 or sns_certificates is no key") from error

    @property
    def domain(self) -> str:
        """Return the domain of the mailbox."""
        return self.address.rpartition("@")[2].lower()

    @property
    def aws_key(self) -> AwsKey:
        """Return the key that reads S3."""
        return AwsKey(id=self.aws_access_key_id, secret=self.aws_secret_access_key)
