"""After a complaint was resolved the customer is asked whether it is: the question, the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.content import Content, Menu, Option, Pressed, plain_text
from router.domain.ids import CaseId, ContactId, ConversationId, InteractionId


class FollowUpState(StrEnum):
    """Where a follow-up stands. ``OVER``: nobody asked in time, or the case was opened again."""

    DUE = "due"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One question about one resolution. ``next_at`` is when it is looked at again while due."""

    id: str
    case: CaseId
    contact: ContactId
    state: FollowUpState
    since: datetime
    next_at: datetime
    conversation: ConversationId | None = None
    question: InteractionId | None = None
    asked_at: datetime | None = None
    settled_at: datetime | None = None
    version: int = 0


_QUESTION: Mapping[str, str] = {
    "zh": "您好，您之前反映的问题我们已经处理。请问现在解决了吗？",
    "en": "We have dealt with the problem that you told us about. Is it solved now?",
}
_YES: Mapping[str, str] = {"zh": "已解决", "en": "Yes, it is solved"}
_NO: Mapping[str, str] = {"zh": "还没有解决", "en": "No, not yet"}

_AROUND = re.compile(r"[\s,.!?;:~，。！？；：、…～\"'“”‘’()（）\U0001f300-\U0001faff]+")
#: Anything that denies, wherever it stands; looked for before a yes.
_DENIED = re.compile(
    r"没(?:有)?(?:解决|处理|好|收到|修好|搞定|弄好|退|换)|未(?:解决|处理|收到)|还没|仍然?没|依然没|"
    r"还是(?:不行|坏|老样子|有问题)|不满意|没用|"
    r"\bnot (?:yet|solved|resolved|fixed|really|at all)\b|n['’]t (?:solved|resolved|fixed)\b|"
    r"\bstill (?:not|no|broken|waiting|the same|nothing)\b|\bunresolved\b|\bunsolved\b"
)
_NO_ALONE = frozenset(
    {"没", "没有", "否", "不", "不是", "没呢", "没有呢", "no", "nope", "nah", "2"}
)
_YES_ALONE = re.compile(
    r"(?:是|是的|对|对的|嗯|嗯嗯|好了|可以了|行了|yes|yep|yeah|yup|1|"
    r"(?:都|全|问题|是的|嗯)?(?:已|已经)?(?:解决|处理好|搞定|弄好|修好|收到|满意)了?|"
    r"(?:yes)?(?:itis|itsall|all)?(?:now)?(?:solved|resolved|fixed|done|good)(?:now)?)"
    r"(?:谢谢|多谢|感谢|谢谢你们|谢谢您|thanks|thankyou)?"
)


def question(follow_up: str, language: str) -> Menu:
    """Return what to ask; channels without buttons show the choices with numbers."""
    spoken = "en" if language == "en" else "zh"
    return Menu(
        text=_QUESTION[spoken],
        options=(
            Option(id=f"followup:{follow_up}:yes", label=_YES[spoken]),
            Option(id=f"followup:{follow_up}:no", label=_NO[spoken]),
        ),
    )


def pressed(content: Content, follow_up: str) -> bool | None:
    """Return what a press of one of our two buttons says; None for everything else."""
    if isinstance(content, Pressed):
        return {f"followup:{follow_up}:yes": True, f"followup:{follow_up}:no": False}.get(
            content.payload
        )
    return None


def answered(content: Content) -> bool | None:
    """Return what words say to our question; None if they are no answer to it.

    A no is heard anywhere in the words; a yes only if nothing else is said.
    """
    words = plain_text(content).strip().casefold()
    bare = _AROUND.sub("", words)
    if _DENIED.search(words) or bare in _NO_ALONE:
        return False
    if bare in {_text(label) for label in _NO.values()}:
        return False
    if _YES_ALONE.fullmatch(bare) or bare in {_text(label) for label in _YES.values()}:
        return True
    return None


def _text(label: str) -> str:
    return _AROUND.sub("", label.casefold())
