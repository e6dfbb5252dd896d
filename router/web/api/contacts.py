"""Persons: found, read over every channel, corrected, made one and made two again."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from router.domain.errors import Invalid
from router.domain.evidence import Proposal
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import AccountName, AgentId, ContactId, InteractionId
from router.domain.timeline import Interaction
from router.service import contacts, probable, suspect
from router.service.cases import open_by_hand
from router.service.ports import NotFound
from router.service.unit import Unit
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import (
    CaseShape,
    ContactShape,
    InteractionShape,
    MergeShape,
    PersonShape,
    Shape,
)

operations = Operations("contacts")


class SearchQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Words of a name, a claim or a platform's id."""

    words: str = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class TimelineQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A page of a timeline: older than ``before`` (a page's ``next``), holding ``words``."""

    before: str = ""
    words: str = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class TimelinePage(Shape, frozen=True):
    """A page of a person's timeline, newest first; ``next`` is the older page's ``before``."""

    interactions: tuple[InteractionShape, ...]
    next: str = ""


class ChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a colleague may write of a person."""

    name: str | None = None
    vip: bool | None = None
    note: str | None = None


class MergeBody(msgspec.Struct, forbid_unknown_fields=True):
    """The other contact, and why the two are one person."""

    contact: str
    why: str


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True):
    """An agent's word about an identity; a verified one may join two contacts."""

    account: str
    external_id: str
    kind: ClaimKind
    value: Annotated[str, Meta(min_length=1, max_length=256)]
    verified: bool = False


class ProposalShape(Shape, frozen=True):
    """Another contact who is probably the same person, and the evidence."""

    id: str
    contact: str
    evidence: str
    strength: float
    at: datetime


class CaseBody(msgspec.Struct, forbid_unknown_fields=True):
    """A complaint that no channel heard; ``shop`` is the account that it concerns."""

    severity: int
    topic: str
    summary: Annotated[str, Meta(min_length=1)]
    shop: str = ""


def _id(asked: Asked) -> ContactId:
    return ContactId(asked.part("contact"))


@operations.add("GET", "/contacts", answer=tuple[ContactShape, ...], query=SearchQuery)
async def search_contacts(asked: Asked) -> tuple[ContactShape, ...]:
    """Find persons by name, phone, e-mail, member id or a platform's id."""
    found = await asked.deps.store.read(_found, asked.query)
    return tuple(map(ContactShape.of, found))


def _found(unit: Unit, wished: SearchQuery) -> tuple[object, ...]:
    return unit.contacts.search(wished.words, limit=wished.limit)


@operations.add("GET", "/contacts/{contact}", answer=PersonShape)
async def get_contact(asked: Asked) -> PersonShape:
    """Say everything that is known of a person, over all merged contacts."""
    return PersonShape.of(await asked.deps.store.read(contacts.person, _id(asked)))


@operations.add("GET", "/contacts/{contact}/timeline", answer=TimelinePage, query=TimelineQuery)
async def get_timeline(asked: Asked) -> TimelinePage:
    """Show what a person said and did on every channel, newest first, page by page."""
    wished: TimelineQuery = asked.query
    before = _key(wished.before)
    said = await asked.deps.store.read(
        _timeline, _id(asked), before=before, limit=wished.limit + 1, words=wished.words
    )
    shown = said[: wished.limit]
    more = len(said) > wished.limit
    return TimelinePage(
        interactions=tuple(map(InteractionShape.of, shown)),
        next=f"{shown[-1].at.isoformat()}_{shown[-1].id}" if more else "",
    )


def _key(given: str) -> tuple[datetime, InteractionId] | None:
    """Read a page's key: a time and an id."""
    if not given:
        return None
    moment, _, interaction = given.partition("_")
    try:
        at = datetime.fromisoformat(moment.replace(" ", "+"))  # a plus that was not escaped
    except ValueError as error:
        raise Invalid("before: give the next of the page before") from error
    if at.tzinfo is None or not interaction:
        raise Invalid("before: give the next of the page before")
    return at, InteractionId(interaction)


def _timeline(
    unit: Unit,
    contact: ContactId,
    *,
    before: tuple[datetime, InteractionId] | None,
    limit: int,
    words: str,
) -> tuple[Interaction, ...]:
    members = unit.contacts.members(unit.contacts.get(contact).id)
    return unit.conversations.timeline(members, before=before, limit=limit, words=words)


@operations.add("PATCH", "/contacts/{contact}", answer=ContactShape, body=ChangeBody)
async def change_contact(asked: Asked) -> ContactShape:
    """Correct the name, the standing or the note of a person; what is left out stays."""
    changed = await asked.deps.store.transact(
        _changed, _id(asked), asked.body, by=asked.agent.id, at=asked.at
    )
    return ContactShape.of(changed)


def _changed(
    unit: Unit, contact: ContactId, body: ChangeBody, *, by: AgentId, at: datetime
) -> object:
    root = unit.contacts.get(unit.contacts.get(contact).root)
    return contacts.change(
        unit,
        contact=contact,
        name=root.name if body.name is None else body.name,
        vip=root.vip if body.vip is None else body.vip,
        note=root.note if body.note is None else body.note,
        by=by,
        at=at,
    )


@operations.add("POST", "/contacts/{contact}/merge", answer=MergeShape, body=MergeBody)
async def merge_contacts(asked: Asked) -> MergeShape:
    """Make two contacts one person. Nothing is rewritten, so it can be undone."""
    record = await asked.deps.store.transact(
        contacts.merge,
        keep=_id(asked),
        gone=ContactId(asked.body.contact),
        by=asked.agent.id,
        why=asked.body.why,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return MergeShape.of(record)


@operations.add("POST", "/merges/{merge}/split", answer=MergeShape)
async def split_contacts(asked: Asked) -> MergeShape:
    """Undo a merge: each side gets back its own history, cases included."""
    record = await asked.deps.store.transact(
        contacts.split,
        merge_id=asked.part("merge"),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return MergeShape.of(record)


@operations.add("GET", "/contacts/{contact}/proposals", answer=tuple[ProposalShape, ...])
async def list_proposals(asked: Asked) -> tuple[ProposalShape, ...]:
    """List who is probably the same person, strongest evidence first."""
    found = await asked.deps.store.read(_suspected, _id(asked))
    return tuple(
        ProposalShape(
            id=proposal.id,
            contact=other,
            evidence=proposal.evidence,
            strength=proposal.strength,
            at=proposal.at,
        )
        for proposal, other in found
    )


def _suspected(unit: Unit, contact: ContactId) -> tuple[tuple[Proposal, ContactId], ...]:
    return probable.suspected(unit, unit.contacts.get(contact).id)


@operations.add("POST", "/proposals/{proposal}/accept")
async def accept_proposal(asked: Asked) -> None:
    """Make the two contacts of a proposal one person; it can be undone by a split."""
    await asked.deps.store.transact(
        suspect.accept_proposal,
        proposal=asked.part("proposal"),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )


@operations.add("POST", "/proposals/{proposal}/reject")
async def reject_proposal(asked: Asked) -> None:
    """Say that the two are different people; it is not proposed again."""
    await asked.deps.store.transact(
        suspect.reject_proposal,
        proposal=asked.part("proposal"),
        by=asked.agent.id,
        at=asked.at,
    )


@operations.add("POST", "/contacts/{contact}/claims", answer=PersonShape, body=ClaimBody)
async def vouch_for_contact(asked: Asked) -> PersonShape:
    """Keep an agent's word about who one of a person's identities is."""
    body: ClaimBody = asked.body
    await asked.deps.store.transact(
        _vouched, _id(asked), body, asked=asked, by=asked.agent.id, at=asked.at
    )
    return PersonShape.of(await asked.deps.store.read(contacts.person, _id(asked)))


def _vouched(
    unit: Unit, contact: ContactId, body: ClaimBody, *, asked: Asked, by: AgentId, at: datetime
) -> None:
    known = unit.contacts.known(AccountName(body.account), body.external_id)
    members = unit.contacts.members(unit.contacts.get(contact).id)
    if known is None or known.contact not in members:
        raise NotFound("this person has no such identity")
    identity: Identity = known.identity
    contacts.vouch(
        unit,
        identity=identity,
        said=Claim(kind=body.kind, value=body.value, verified=body.verified, source="agent"),
        by=by,
        policy=asked.deps.policy,
        at=at,
    )


@operations.add("POST", "/contacts/{contact}/cases", answer=CaseShape, body=CaseBody, status=201)
async def open_case(asked: Asked) -> CaseShape:
    """Open a case for what no channel heard; it is one's own."""
    body: CaseBody = asked.body
    asked.deps.check_shop(body.shop)
    case = await asked.deps.store.transact(
        open_by_hand,
        contact=_id(asked),
        severity=body.severity,
        topic=body.topic,
        summary=body.summary,
        shop=body.shop,
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return CaseShape.of(case)
