"""The reply coach: what is unwise in a reply before it goes, and how to say it better; pure.

It compares words and understands little, so it only hints. Each rule has labelled examples in
tests/data/bots/coach.jsonl, those that must be left alone included.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from router.domain.grounding import differing, normal
from router.domain.privacy import Private, find
from router.domain.product import Product, named_in


class Rule(StrEnum):
    """What the coach looks for."""

    REPEATS = "repeats"
    RECEIVED = "only_received"
    ARGUES = "argues_first"
    SOOTHES = "soothes"
    STOCK = "stock_phrase"
    NO_TIME = "no_time"
    DISCONTINUED = "discontinued"
    CONTRADICTS = "contradicts"
    PRIVATE = "private_number"


class Level(StrEnum):
    """What a shop makes of a rule."""

    OFF = "off"
    HINT = "hint"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply that has not gone, and what it answers.

    ``earlier`` are our side's replies in the conversation, ``complains`` says that the customer
    does. ``articles`` are texts that answer the question for sure; ``public`` are the shop's own
    numbers, in digits.
    """

    text: str
    language: str
    earlier: Sequence[str] = ()
    complains: bool = False
    articles: Sequence[str] = ()
    products: Sequence[Product] = ()
    public: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One thing to say better. ``quote`` is what gave it away, ``better`` a wording to take."""

    rule: Rule
    quote: str
    better: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachPolicy:
    """What the shop makes of each rule; what is not said is a hint."""

    levels: Mapping[Rule, Level] = field(default_factory=dict)

    def level(self, rule: Rule) -> Level:
        return self.levels.get(rule, Level.HINT)


_ALIKE: Final = 0.92  # of two replies, from which one repeats the other
_SHORTEST: Final = 6  # characters: shorter replies repeat nothing
_MUCH: Final = 6  # characters beside "received" that are an answer
_QUOTED: Final = 60

_POLITE: Final = re.compile(
    r"好的|嗯|亲爱的|顾客|客户|亲|您好|你好|感谢|谢谢|您的|你的|我们|我|这边|反馈|消息|信息|留言|问题|了|的|哦|呢"
    r"|\b(?:hello|hi|dear|customer|thanks?|thank you|we|have|has|been|your|message|feedback|the|for"
    r"|it|is|and|i|ok|okay)\b|[\s,，。.!！~～?？:：、]"
)
_RECEIVED: Final = re.compile(
    r"已?收到|知道了?|已?(?:经)?记录|明白|了解"
    r"|\b(?:received|noted|got|understood|acknowledged|copy that|recorded)\b"
)
_SORRY: Final = re.compile(r"抱歉|对不起|不好意思|致歉|道歉|过意不去|\bsorry\b|\bapolog|\bregret\b")
_ARGUES: Final = re.compile(
    r"但是您|可是您|是您(?:自己|没|填|选|写|操作|理解)|您(?:没有?看|应该先|自己|误会|理解错)"
    r"|(?:不是|并非)我们(?:的)?(?:问题|责任|原因|错)|跟我们(?:没|无)关"
    r"|规定(?:就|本来)?是|按(?:照)?规定"
    r"|(?:页面|详情页|说明书?)(?:上|里)?(?:已经|都|就)?写(?:得|着|的)|我们(?:没有|并没有|没)错|系统显示您"
    r"|物流的(?:问题|责任)|快递的(?:问题|责任)|我们也没(?:有)?办法"
    r"|\byou (?:should have|didn't|did not|failed to|misunderstood|must have)\b"
    r"|\bnot our (?:fault|problem|responsibility)\b|\bas (?:clearly )?stated\b|\bactually,? you\b"
    r"|\bour (?:policy|terms) (?:clearly )?(?:says?|states?)\b|\bthe courier's (?:fault|problem)\b"
)
_SOOTHES: Final = re.compile(
    r"(?:您|你)?(?:先)?(?:别|不要|请勿|不用|无需)(?:那么|这么|太|再)?(?:生气|激动|上火|动怒|发火)"
    r"|(?:您|你|请您?)(?:先)?冷静(?:一下|点)?|消消气|\bcalm down\b"
    r"|\b(?:don't|do not) (?:be|get) (?:so )?(?:angry|upset|mad|emotional)\b|\brelax\b"
)
_STOCK: Final = re.compile(
    r"(?:^|(?<=[,，。！!?？\s~～哦呢]))亲(?:亲)?(?=[,，、。！!~～\s]|这边|您|$)"
    r"|这边(?:建议|帮您看|给您看|为您)|给您(?:带来|造成)(?:的)?不便.{0,4}(?:敬请|请您?)?(?:谅解|见谅)"
    r"|感谢您的理解(?:与|和)支持|请您?(?:多多)?(?:谅解|见谅)|亲亲"
    r"|\b(?:sorry|apologi[sz]e) for (?:any|the) inconvenience(?: caused)?\b"
    r"|\bkindly be advised\b|\bplease be (?:informed|advised)\b|\bis (?:very )?important to us\b"
    r"|\bvalued customer\b"
)
_PROMISES: Final = re.compile(
    r"尽快|稍后|稍等|稍候|后续|第一时间|耐心等(?:待|候)|正在处理|等(?:待)?(?:处理|通知|消息|结果)|过(?:一)?会儿"
    r"|会(?:有专人|有人)?(?:联系|处理|回复|跟进|反馈|安排|核实|通知|退)"
    r"|\bas soon as possible\b|\basap\b|\bshortly\b|\bsoon\b|\bbear with us\b"
    r"|\b(?:will|we'll|i'll) (?:get back|contact|look into|follow up|process|update|call"
    r"|let you know|be in touch)\b"
)
_TIME: Final = re.compile(
    r"\d+\s*(?:-\s*\d+\s*)?个?(?:分钟|小时|天|日|号|点|工作日|周|星期)"
    r"|[一二两三四五六七八九十]+\s*个?(?:分钟|小时|天|日|点|工作日|周|星期)"
    r"|今天|今晚|今日|明天|明日|明早|后天|当天|上午|下午|中午|晚上|周[一二三四五六日天]|星期[一二三四五六日天]"
    r"|\d{1,2}[:：]\d{2}|马上|现在就|立刻|\bright now\b"
    r"|\b(?:today|tomorrow|tonight|noon|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b"
    r"|\b(?:\d+|one|two|three|four|five|ten|a few|an)[- ](?:minutes?|hours?|weeks?"
    r"|(?:working |business )?days?)\b|\b\d{1,2} ?(?:am|pm|o'clock)\b"
)
_OFFERS: Final = re.compile(
    r"推荐|可以看看|建议(?:您)?(?:购买|考虑|选|看|试)|有货|现货|下单|拍下|可以(?:买|购买|选|拍)|链接|上架|在售"
    r"|\b(?:recommend|suggest|in stock|order|buy|purchase|available|have a look|check out"
    r"|consider)\b"
)
_PRIVATE: Final = frozenset({Private.PHONE, Private.IDENTITY, Private.CARD, Private.ADDRESS})

_BETTER: Final[Mapping[Rule, Mapping[str, str]]] = {
    Rule.REPEATS: {
        "zh": "刚才的说法没有解决您的问题，我换个办法：",
        "en": "My earlier answer did not solve it, so let me try another way: ",
    },
    Rule.RECEIVED: {
        "zh": "您反映的情况我已经看到，我现在就核实，今天__点前回复您。",
        "en": "I have read what happened. I am checking it now and will answer you by __ today.",
    },
    Rule.ARGUES: {
        "zh": "很抱歉让您遇到这样的事。您说的情况我完全理解，我来查清楚：",
        "en": "I am sorry that this happened. I see why it is frustrating. Let me find out: ",
    },
    Rule.SOOTHES: {
        "zh": "换作是我也会不高兴，这件事由我负责跟到底。",
        "en": "I would be unhappy about this too. I will see it through.",
    },
    Rule.STOCK: {
        "zh": "我看了您的情况，可以这样处理：",
        "en": "I have looked at your case. This is what we can do: ",
    },
    Rule.NO_TIME: {
        "zh": "我会在今天__点前给您答复。",
        "en": "I will answer you by __ today.",
    },
    Rule.DISCONTINUED: {
        "zh": "这款已经停售，同类在售的是：",
        "en": "This one is no longer sold. What we have instead: ",
    },
    Rule.CONTRADICTS: {"zh": "", "en": ""},
    Rule.PRIVATE: {"zh": "", "en": ""},
}


def advise(draft: Draft, *, policy: CoachPolicy) -> tuple[Hint, ...]:
    """Return what is unwise in a reply, at most once for each rule that the shop looks at."""
    if not draft.text.strip():
        return ()
    said = normal(draft.text)
    hints = []
    for rule, look in _RULES.items():
        if policy.level(rule) is Level.OFF:
            continue
        found = look(draft, said)
        if found is not None:
            quote, better = found
            worded = better or _BETTER[rule]["en" if draft.language == "en" else "zh"]
            hints.append(Hint(rule=rule, quote=quote[:_QUOTED], better=worded))
    return tuple(hints)


def blocking(hints: Sequence[Hint], *, policy: CoachPolicy) -> tuple[Hint, ...]:
    """Return the hints over which the shop lets no reply go."""
    return tuple(each for each in hints if policy.level(each.rule) is Level.BLOCK)


#: What a rule found: the quote, and a wording of its own if the usual one does not do.
_Found = tuple[str, str] | None


def _repeats(draft: Draft, said: str) -> _Found:
    core = _core(said)
    if len(core) < _SHORTEST:
        return None
    for earlier in draft.earlier:
        before = _core(normal(earlier))
        if len(before) >= _SHORTEST and SequenceMatcher(None, core, before).ratio() >= _ALIKE:
            return earlier, ""
    return None


def _core(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _received(_draft: Draft, said: str) -> _Found:
    found = _RECEIVED.search(said)
    if found is None:
        return None
    rest = _POLITE.sub("", _RECEIVED.sub("", said))
    return None if len(rest) >= _MUCH else (found[0], "")


def _argues(draft: Draft, said: str) -> _Found:
    argues = _ARGUES.search(said) if draft.complains else None
    sorry = _SORRY.search(said)
    if argues is None or (sorry is not None and sorry.start() < argues.start()):
        return None
    return argues[0], ""


def _phrase(pattern: re.Pattern[str]) -> Callable[[Draft, str], _Found]:
    def look(_draft: Draft, said: str) -> _Found:
        found = pattern.search(said)
        return None if found is None else (found[0].strip(), "")

    return look


def _no_time(_draft: Draft, said: str) -> _Found:
    found = _PROMISES.search(said)
    return None if found is None or _TIME.search(said) else (found[0], "")


def _discontinued(draft: Draft, said: str) -> _Found:
    """Find what is offered and is not to be had: no longer, not yet, or recalled."""
    if not _OFFERS.search(said):
        return None
    by_id = {each.id: each for each in draft.products}
    for product in named_in(draft.text, draft.products):
        if product.on_sale:
            continue
        successor = by_id.get(product.successor) if product.successor else None
        better = ""
        if successor is not None and successor.on_sale:
            name = successor.name(draft.language)
            usual = _BETTER[Rule.DISCONTINUED]["en" if draft.language == "en" else "zh"]
            better = f"{usual}{name}"
        return product.name(draft.language), better
    return None


def _contradicts(draft: Draft, _said: str) -> _Found:
    for article in draft.articles:
        if differs := differing(draft.text, article):
            clause, right = differs
            return clause, right
    return None


def _private(draft: Draft, _said: str) -> _Found:
    shown = list(_shown(draft))
    if not shown:
        return None
    masked = draft.text
    for each in reversed(shown):
        masked = masked[: each.start] + each.masked + masked[each.end :]
    first = shown[0]
    return first.masked, masked


def _shown(draft: Draft) -> Iterator["_Piece"]:
    for each in find(draft.text):
        digits = "".join(sign for sign in draft.text[each.start : each.end] if sign.isdigit())
        if each.kind in _PRIVATE and digits not in draft.public:
            yield _Piece(start=each.start, end=each.end, masked=each.masked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    start: int
    end: int
    masked: str


_RULES: Final[Mapping[Rule, Callable[[Draft, str], _Found]]] = {
    Rule.PRIVATE: _private,
    Rule.CONTRADICTS: _contradicts,
    Rule.DISCONTINUED: _discontinued,
    Rule.ARGUES: _argues,
    Rule.SOOTHES: _phrase(_SOOTHES),
    Rule.REPEATS: _repeats,
    Rule.RECEIVED: _received,
    Rule.NO_TIME: _no_time,
    Rule.STOCK: _phrase(_STOCK),
}
