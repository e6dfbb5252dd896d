"""A person: contacts, and how two of them become one and two again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from router.domain.errors import CannotMerge, CannotSplit
from router.domain.ids import ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person as one origin knows them.

    ``root`` is the contact that stands for the person: itself, or the one it was merged into.
    History is kept with the origin, so that a split gives each side back its own.
    """

    id: ContactId
    root: ContactId
    name: str
    language: str
    vip: bool
    created_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRecord:
    """Two contacts are one person: who says so, when and why; ``undone_at`` once taken back."""

    id: str
    keep: ContactId
    fold: ContactId
    at: datetime
    by: str
    why: str
    undone_at: datetime | None = None
    undone_by: str = ""


def plan_merge(
    keep: Contact, fold: Contact, *, record_id: str, by: str, why: str, at: datetime
) -> MergeRecord:
    """Return the record that makes two persons one; raises CannotMerge if they are one already."""
    if keep.root == fold.root:
        raise CannotMerge(f"{keep.id} and {fold.id} are one contact already")
    return MergeRecord(id=record_id, keep=keep.root, fold=fold.root, at=at, by=by, why=why)


def check_split(record: MergeRecord) -> None:
    """Raise CannotSplit if the merge was undone before."""
    if record.undone_at is not None:
        raise CannotSplit(f"merge {record.id} was undone already")


def roots(
    members: Iterable[ContactId], merges: Iterable[MergeRecord]
) -> Mapping[ContactId, ContactId]:
    """Return who stands for each of ``members``, given the merges that concern them.

    Merges are replayed in the order in which they were made; the kept side's root stays. Undone
    merges count for nothing, so undoing one leaves the others as they are.
    """
    parent = {member: member for member in members}

    def find(contact: ContactId) -> ContactId:
        while parent.setdefault(contact, contact) != contact:
            contact = parent[contact]
        return contact

    for merge in sorted(merges, key=lambda each: (each.at, each.id)):
        if merge.undone_at is None:
            keep, fold = find(merge.keep), find(merge.fold)
            if keep != fold:
                parent[fold] = keep
    return {member: find(member) for member in parent}
