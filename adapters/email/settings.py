"""What an operator sets for one mailbox: how its relay proves mails, and where answers leave."""

from typing import Annotated, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate
from msgspec import Meta, Struct

from adapters.email.proof import key_bytes
from router.channel.contract import Capabilities

# A mail has no limit of length that a written answer could meet.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=100_000,
    media_in=frozenset({"image", "voice", "video", "file"}),
    receipts=True,
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mailbox, ``address``, that a relay delivers to us.

    A delivery is taken by whichever proof is set: ``signing_key`` (Mailgun), ``public_key_b64``
    (SendGrid's signed events), ``topic_arn`` with ``sns_certificates`` (Amazon SES through SNS;
    PEM, as Amazon publishes them) or ``basic_user`` and ``basic_password`` in the address (any
    relay). ``check_headers`` says that Mailgun's ``X-Mailgun-Spf`` and ``-Dkim-Check-Result`` are
    its own, because its spam filter is on. ``mailgun_api_key`` fetches stored attachments.
    ``max_age_minutes`` is how old a signature may be: long enough for the relay's repetitions.
    The ``smtp_…`` settings say where answers leave; ``plus_addressing`` puts the thread into the
    address that is answered to.
    """

    address: str
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
    smtp_host: str = "localhost"
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""

    def __post_init__(self) -> None:
        """Refuse a mailbox that anybody could write for, and keys that are none."""
        local, _, domain = self.address.rpartition("@")
        if not (local and domain and self.address.isascii() and self.address.isprintable()):
            raise ValueError("address must be a mail address such as support@shop.example")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("smtp_user and smtp_password belong together: give both or neither")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("smtp_security must not be none where a password is sent")
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
