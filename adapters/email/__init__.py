"""E-mail: heard through a relay's webhook (Mailgun, SendGrid, Amazon SES), answered by SMTP."""

from adapters.email.adapter import Email
from adapters.email.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="email",
    title={"en": "E-mail", "zh": "电子邮件"},
    family=Family.EMAIL,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Email,
    secrets=frozenset(
        {
            "signing_key",
            "basic_password",
            "mailgun_api_key",
            "smtp_password",
            "aws_secret_access_key",
        }
    ),
    needs_secret_path=True,  # Mailgun signs no mail, SendGrid's parse nothing at all
)
