"""Hands a mail to its server by SMTP; knows of mails only whom they are for and how long they are.

Until the last line of the mail has left nothing was sent. After it only the server's word counts,
and without that word nobody knows.
"""

import asyncio
import ssl

import aiosmtplib

from router.channel.contract import MailCall, Reply
from router.transport.http import Doubtful, NotSent
from router.transport.settings import TransportSettings


class Mails:
    """Carries mails, each over a connection of its own."""

    def __init__(
        self, settings: TransportSettings, *, trusts: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._trusts = trusts or ssl.create_default_context()

    async def carry(self, call: MailCall) -> Reply:
        """Return the server's last answer, of whatever code.

        Raises `NotSent` if no mail has left and `Doubtful` if it may have; their words hold no
        address or password.
        """
        client = aiosmtplib.SMTP(
            hostname=call.host,
            port=call.port,
            timeout=self._settings.connect.total_seconds(),
            use_tls=call.security == "tls",
            start_tls=call.security == "starttls",
            tls_context=None if call.security == "none" else self._trusts,
            username=call.username or None,
            password=call.password or None,
        )
        leaves = False
        try:
            async with asyncio.timeout(self._settings.total.total_seconds()):
                refused = await self._before(client, call)
                if refused is not None:
                    return refused
                leaves = True
                return await self._data(client, call)
        except TimeoutError:
            raise (Doubtful if leaves else NotSent)("TimeoutError") from None
        finally:
            client.close()

    async def _before(self, client: aiosmtplib.SMTP, call: MailCall) -> Reply | None:
        """Greet, prove who we are and say whom it is for; return an answer that ends it."""
        try:
            await client.connect()
            await client.mail(call.sender)
            for recipient in call.recipients:
                await client.rcpt(recipient)
        except aiosmtplib.SMTPResponseException as error:
            return Reply(status=error.code, body=error.message.encode("utf-8", "replace"))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(type(error).__name__) from None
        return None

    async def _data(self, client: aiosmtplib.SMTP, call: MailCall) -> Reply:
        try:
            code, words = await client.data(call.body)
        except aiosmtplib.SMTPResponseException as error:
            return Reply(status=error.code, body=error.message.encode("utf-8", "replace"))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Doubtful(type(error).__name__) from None
        return Reply(status=code, body=words.encode("utf-8", "replace"))
