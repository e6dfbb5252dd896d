"""Complaints in the customer's own words, from every channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.case import Case
from router.domain.evidence import Proposal
from router.domain.ids import CaseId, ContactId
from router.domain.timeline import Interaction
from router.service.cards import CaseCard, case_cards
from router.service.contacts import Person, person
from router.service.probable import probable_cases
from router.service.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """An open case with the customer's own words that belong to it, from every channel."""

    card: CaseCard
    words: tuple[Interaction, ...]
    probable: str = ""  # the evidence, if the person is only probably the one who complained
    proposal: str = ""


def stories(unit: Unit, contact: ContactId, *, at: datetime) -> tuple[CaseStory, ...]:
    """Return the person's open cases with the words that made them.

    After them stand the cases of those who are probably the same person, marked as such.
    """
    certain = case_cards(unit, unit.cases.open_of(unit.contacts.members(contact)), at=at)
    return stories_of(unit, certain, probable_cases(unit, contact), at=at)


def stories_of(
    unit: Unit,
    certain: Sequence[CaseCard],
    probable: Sequence[tuple[Proposal, Case]],
    *,
    at: datetime,
) -> tuple[CaseStory, ...]:
    """Return cases with the words that made them, what is certain first."""
    maybe = case_cards(unit, [case for _proposal, case in probable], at=at) if probable else ()
    return (
        *(CaseStory(card=card, words=_words_of(unit, card.case)) for card in certain),
        *(
            CaseStory(
                card=card,
                words=_words_of(unit, card.case),
                probable=proposal.evidence,
                proposal=proposal.id,
            )
            for card, (proposal, _case) in zip(maybe, probable, strict=True)
        ),
    )


def _words_of(unit: Unit, case: Case) -> tuple[Interaction, ...]:
    links = unit.cases.links(case.id)[-10:]
    return tuple(unit.conversations.interaction(link.interaction) for link in links)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case laid open: its card, its words and what happened to it."""

    story: CaseStory
    person: Person
    history: tuple[tuple[datetime, str, Mapping[str, object]], ...]


def case_file(unit: Unit, *, case: CaseId, at: datetime) -> CaseFile:
    """Lay a case open; raises NotFound."""
    held = unit.cases.get(case)
    (card,) = case_cards(unit, (held,), at=at)
    words = tuple(
        unit.conversations.interaction(link.interaction) for link in unit.cases.links(case)
    )
    return CaseFile(
        story=CaseStory(card=card, words=words),
        person=person(unit, held.contact),
        history=tuple(
            (when, logged.event.kind, logged.event.facts or {})
            for when, logged in unit.journal.history(case=case)
        ),
    )
