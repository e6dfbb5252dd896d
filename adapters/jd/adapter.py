"""JD: one adapter is one application with the shop that it serves."""

from dataclasses import dataclass

from adapters._common.jsonin import read_object
from adapters._common.shops import local_text, signed_form
from adapters.jd import pulling
from adapters.jd.inbound import written
from adapters.jd.settings import Settings
from router.channel.contract import (
    Bell,
    Decoded,
    HttpCall,
    Ignored,
    Moment,
    Outbound,
    Outcome,
    Pulled,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)

#: What the mini program's customer service wants to hear.
_TAKEN = Response(
    body='{"sub_code":0,"sub_message":"接收通知成功","sub_result":"接收通知成功"}'.encode(),
    content_type="application/json; charset=utf-8",
)


@dataclass(frozen=True, slots=True)
class JD:
    """One application: orders and chats are pulled when somebody rings."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Trust a ring, and a message of the mini program, for the secret in the path.

        How JD signs the latter is not known.
        """
        if request.method != "POST":
            raise Unverified("expected a POST to the secret path")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the platform checks no address."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what is to be pulled; or, if there is a body, what the mini program says."""
        moment = request.request.moment
        if request.body:
            return Decoded(events=(written(read_object(request.body), moment),), response=_TAKEN)
        rung = pulling.bells(self.settings, moment.now)
        return Decoded(events=rung or (Ignored(kind="ring.without_access_token"),))

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        return pulling.pull_call(bell, cursor=cursor, settings=self.settings)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        return pulling.read_pull(bell, reply)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: buyers are answered in 咚咚 only."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the application, the shop's token, the time and the signature over all."""
        system = {
            "app_key": self.settings.app_key,
            "access_token": self.settings.access_token,
            "timestamp": local_text(moment.now),
            "v": "2.0",
        }
        return signed_form(call, self.settings.app_secret, system)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return pulling.outcome_of(reply)
