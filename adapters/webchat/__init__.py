"""Web chat over our own WebSocket, with identities that the shop signs."""

from adapters.webchat.adapter import MAX_TEXT, WebChat
from adapters.webchat.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

_MEDIA = frozenset({"image", "voice", "video", "file"})

CHANNEL = Channel(
    name="webchat",
    title={"en": "Web chat", "zh": "网页聊天"},
    family=Family.WEBCHAT,
    transport="socket",
    capabilities=Capabilities(
        replies=True,
        max_text=MAX_TEXT,
        media_out=_MEDIA,
        media_in=_MEDIA,
        recalls_in=True,
        receipts=True,
        idempotent_sends=True,  # the widget knows each message by its id
    ),
    settings=Settings,
    build=WebChat,
    secrets=frozenset({"secret", "secrets", "identifier_secret"}),
)
