"""The repository of persons: contacts, identities, claims and merges."""

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.contact import Contact, MergeRecord
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import AccountName, ChannelName, ContactId
from router.service.ports import Conflict, NotFound
from router.service.records import KnownClaim, KnownIdentity, PersonLine
from router.store.dialect import alone, containing, contains, insert_new
from router.store.rows import insert, many, must_be_there, must_change, one, the
from router.store.sets import Found, ask_all, by_keys
from router.store.tables import claims, contacts, identities, merges
from router.store.types import UtcDateTime, Words

_CHUNK = 5000  # contacts asked for in one statement; both databases take six times as many

_member, _root = contacts.alias("member"), contacts.alias("root")
_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_of_identity = sa.and_(
    identities.c.account == sa.bindparam("of_account"),
    identities.c.external_id == sa.bindparam("of_external_id"),
)
_made_of = sa.and_(
    claims.c.account == identities.c.account, claims.c.external_id == identities.c.external_id
)
_root_id_of = (
    sa.select(_member.c.root_id).where(_member.c.id == sa.bindparam("of")).scalar_subquery()
)

_ADD = sa.insert(contacts)
_GET = sa.select(contacts).where(contacts.c.id == sa.bindparam("of"))
_SAVE = sa.update(contacts).where(contacts.c.id == sa.bindparam("of"))
_ROOT_ID = sa.select(contacts.c.root_id).where(contacts.c.id == sa.bindparam("of"))
_HOLD = sa.select(contacts.c.id).where(contacts.c.id == sa.bindparam("of")).with_for_update()
_MEMBERS = (
    sa.select(contacts.c.id)
    .where(contacts.c.root_id == _root_id_of)
    .order_by(contacts.c.id != contacts.c.root_id, contacts.c.created_at, contacts.c.id)
)
_MEMBERS_OF = by_keys(
    lambda among: (
        sa.select(_root.c.id.label("asked_id"), _member.c.id)
        .join(_member, _member.c.root_id == _root.c.root_id)
        .where(among(_root.c.id))
        .order_by(_member.c.id != _member.c.root_id, _member.c.created_at, _member.c.id)
    )
)
_LINES = (
    sa.select(_member.c.id.label("asked_id"), _root.c.id, _root.c.name, _root.c.vip)
    .join(_root, _root.c.id == _member.c.root_id)
    .where(_member.c.id.in_(_among))
)
_ROOTS = by_keys(
    lambda among: (
        sa.select(_member.c.id.label("asked_id"), *_root.c)
        .join(_root, _root.c.id == _member.c.root_id)
        .where(among(_member.c.id))
    )
)
_ROOT_IDS = by_keys(
    lambda among: sa.select(contacts.c.id, contacts.c.root_id).where(among(contacts.c.id))
)
_NAMES = (
    sa.select(_member.c.root_id, identities.c.name)
    .join(_member, _member.c.id == identities.c.contact_id)
    .where(_member.c.root_id.in_(_among), identities.c.name != "")
    .order_by(identities.c.first_seen_at, identities.c.account, identities.c.external_id)
)
_FOUND = sa.union(
    sa.select(contacts.c.root_id).where(contains(contacts.c.name)),
    sa.select(contacts.c.root_id)
    .join(identities, identities.c.contact_id == contacts.c.id)
    .where(sa.or_(contains(identities.c.external_id), contains(identities.c.name))),
    sa.select(contacts.c.root_id)
    .join(identities, identities.c.contact_id == contacts.c.id)
    .join(claims, _made_of)
    .where(contains(claims.c.value)),
)
_SEARCH = (
    sa.select(contacts)
    .where(contacts.c.id.in_(_FOUND))
    .order_by(contacts.c.created_at.desc(), contacts.c.id.desc())
    .limit(sa.bindparam("at_most"))
)
_KNOWN = sa.select(identities).where(_of_identity)
_ATTACH = insert_new(identities)
_at = sa.bindparam("seen_at", type_=UtcDateTime)
_named = sa.bindparam("named", type_=Words)
_SEEN = (
    sa.update(identities)
    .where(_of_identity)
    .values(
        last_seen_at=sa.case(
            (identities.c.last_seen_at < _at, _at), else_=identities.c.last_seen_at
        ),
        name=sa.case((_named != "", _named), else_=identities.c.name),
        following=sa.func.coalesce(
            sa.bindparam("follows", type_=sa.Boolean), identities.c.following
        ),
    )
)
_PROFILE_ASKED = sa.update(identities).where(_of_identity)
_IDENTITIES = (
    sa.select(identities)
    .where(identities.c.contact_id.in_(_among))
    .order_by(identities.c.first_seen_at, identities.c.account, identities.c.external_id)
)
_CLAIM = insert_new(claims)
_VERIFY = (
    sa.update(claims)
    .where(
        claims.c.account == sa.bindparam("of_account"),
        claims.c.external_id == sa.bindparam("of_external_id"),
        claims.c.kind == sa.bindparam("of_kind"),
        claims.c.value == sa.bindparam("of_value"),
        sa.not_(claims.c.verified),
    )
    .values(verified=True, source=sa.bindparam("by"), at=sa.bindparam("since"))
)
_CLAIMS = (
    sa.select(claims, identities.c.channel, identities.c.contact_id)
    .join(identities, _made_of)
    .where(identities.c.contact_id.in_(_among))
    .order_by(claims.c.at, claims.c.kind, claims.c.value)
)


def _claimants(*, verified: bool) -> "sa.Select[tuple[str]]":
    roots = (
        sa.select(_member.c.root_id)
        .join(identities, identities.c.contact_id == _member.c.id)
        .join(claims, _made_of)
        .where(claims.c.kind == sa.bindparam("of_kind"), claims.c.value == sa.bindparam("of_value"))
    )
    if verified:
        roots = roots.where(claims.c.verified)
    return (
        sa.select(_root.c.id).where(_root.c.id.in_(roots)).order_by(_root.c.created_at, _root.c.id)
    )


_CLAIMED, _CLAIMED_AND_VERIFIED = _claimants(verified=False), _claimants(verified=True)

_ADD_MERGE = sa.insert(merges)
_MERGE = sa.select(merges).where(merges.c.id == sa.bindparam("of"))
_UNDO = sa.update(merges).where(merges.c.id == sa.bindparam("of"), merges.c.undone_at.is_(None))
_MERGES = (
    sa.select(merges)
    .where(sa.or_(merges.c.keep_id.in_(_among), merges.c.fold_id.in_(_among)))
    .order_by(merges.c.at, merges.c.id)
)
_CASE_VERSION = sa.select(contacts.c.case_version).where(contacts.c.id == _root_id_of)
_BUMP = (
    sa.update(contacts)
    .where(contacts.c.id == _root_id_of)
    .values(case_version=contacts.c.case_version + 1)
)
_HIGHEST = sa.select(sa.func.max(contacts.c.case_version)).where(contacts.c.id.in_(_among))
_RENEW = (
    sa.update(contacts)
    .where(contacts.c.id.in_(_among))
    .values(case_version=sa.bindparam("renewed", type_=sa.Integer))
)


class SqlContacts:
    """Persons, their identities, claims and merges."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, contact: Contact) -> None:
        """Insert a contact."""
        self._connection.execute(_ADD, contact_values(contact))

    def get(self, contact: ContactId) -> Contact:
        """Return a contact; raises NotFound."""
        return as_contact(the(self._connection, _GET, {"of": contact}, f"contact {contact}"))

    def save(self, contact: Contact) -> None:
        """Write name, language, vip and note; never the root. Raises NotFound."""
        values = {"of": contact.id, **_standing(contact)}
        must_be_there(self._connection, _SAVE, values, f"contact {contact.id}")

    def lock(self, contact: ContactId) -> ContactId:
        """Hold the person against other transactions; return the root. Raises NotFound."""
        root = self._root_of(contact)
        while True:
            self._connection.execute(_HOLD, {"of": root}).one()
            now = self._root_of(contact)
            if now == root:
                return root
            root = now  # merged or split while we waited for the lock

    def _root_of(self, contact: ContactId) -> ContactId:
        row = the(self._connection, _ROOT_ID, {"of": contact}, f"contact {contact}")
        return ContactId(row["root_id"])

    def members(self, contact: ContactId) -> tuple[ContactId, ...]:
        """Return every origin contact of the person, root first. Raises NotFound."""
        found = many(self._connection, _MEMBERS, {"of": contact})
        if not found:
            raise NotFound(f"there is no contact {contact}")
        return tuple(ContactId(row["id"]) for row in found)

    def members_of(
        self, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[ContactId, ...]]:
        """Return, for each contact that exists, what `members` says of the person."""
        found: dict[ContactId, tuple[ContactId, ...]] = {}
        for row in ask_all(self._connection, _MEMBERS_OF, tuple(contacts)):
            asked, member = ContactId(row["asked_id"]), ContactId(row["id"])
            found[asked] = (*found.get(asked, ()), member)
        return found

    def roots(self, contacts: Collection[ContactId]) -> Mapping[ContactId, tuple[Contact, int]]:
        """Return, for each contact, who stands for the person, and their case version."""
        rows = ask_all(self._connection, _ROOTS, tuple(contacts))
        return {ContactId(row["asked_id"]): (as_contact(row), row["case_version"]) for row in rows}

    def root_ids(self, contacts: Collection[ContactId]) -> Mapping[ContactId, ContactId]:
        """Return, for each contact that exists, who stands for the person."""
        rows = ask_all(self._connection, _ROOT_IDS, tuple(contacts))
        return {ContactId(row["id"]): ContactId(row["root_id"]) for row in rows}

    def lines(self, contacts: Collection[ContactId]) -> Mapping[ContactId, PersonLine]:
        """Return, for each given contact (origin or root), how lists show the whole person."""
        wanted = list(contacts)
        found = [
            row
            for start in range(0, len(wanted), _CHUNK)
            for row in many(self._connection, _LINES, {"members": wanted[start : start + _CHUNK]})
        ]
        nameless = list({row["id"] for row in found if not row["name"]})
        names: dict[str, str] = {}
        for start in range(0, len(nameless), _CHUNK):
            asked = {"members": nameless[start : start + _CHUNK]}
            for row in many(self._connection, _NAMES, asked):
                names.setdefault(row["root_id"], row["name"])
        return {
            ContactId(row["asked_id"]): PersonLine(
                root=ContactId(row["id"]),
                name=row["name"] or names.get(row["id"], ""),
                vip=row["vip"],
            )
            for row in found
        }

    def search(self, words: str, *, limit: int) -> tuple[Contact, ...]:
        """Return roots whose name, claim values or external ids contain ``words``, newest first."""
        asked = {"pattern": containing(words), "at_most": limit}
        return tuple(map(as_contact, many(self._connection, _SEARCH, asked)))

    def known(self, account: AccountName, external_id: str) -> KnownIdentity | None:
        """Return the identity with its contact, if it was seen before."""
        asked = {"of_account": account, "of_external_id": external_id}
        row = one(self._connection, _KNOWN, asked)
        return None if row is None else as_known(row)

    def attach(self, known: KnownIdentity) -> None:
        """Insert an identity; a second insert of the same raises Conflict."""
        if not insert(self._connection, _ATTACH, identity_values(known)):
            raise Conflict("the identity is known already")

    def seen(
        self, identity: Identity, *, at: datetime, name: str = "", following: bool | None = None
    ) -> None:
        """Note that the identity was active; a non-empty name replaces the old one."""
        given = {"seen_at": at, "named": name, "follows": following}
        self._connection.execute(_SEEN, {**_key(identity), **given})

    def profile_asked(self, identity: Identity, *, at: datetime) -> None:
        """Note that the platform was asked who this is."""
        self._connection.execute(_PROFILE_ASKED, {**_key(identity), "profile_asked_at": at})

    def identities(self, members: Collection[ContactId]) -> tuple[KnownIdentity, ...]:
        """Return a person's identities, the first seen first."""
        rows = many(self._connection, _IDENTITIES, {"members": list(members)})
        return tuple(map(as_known, rows))

    def hold_claim(self, claim: Claim) -> None:
        """Hold what is claimed against other transactions: who claims the same comes after."""
        digest = sha256(f"{claim.kind}:{claim.value}".encode(errors="surrogatepass")).digest()
        alone(self._connection, int.from_bytes(digest[:8], signed=True))

    def add_claim(self, identity: Identity, claim: Claim, *, at: datetime) -> bool:
        """Return whether it is new, or newly verified. A verified claim stays verified."""
        values = {
            "account": identity.account,
            "external_id": identity.external_id,
            "kind": claim.kind.value,
            "value": claim.value,
            "verified": claim.verified,
            "source": claim.source,
            "at": at,
        }
        if insert(self._connection, _CLAIM, values):
            return True
        if not claim.verified:
            return False
        of_claim = {"of_kind": claim.kind.value, "of_value": claim.value}
        proof = {"by": claim.source, "since": at}
        done = self._connection.execute(_VERIFY, {**_key(identity), **of_claim, **proof})
        return done.rowcount > 0

    def claims(self, members: Collection[ContactId]) -> tuple[KnownClaim, ...]:
        """Return what is claimed of a person, oldest first."""
        rows = many(self._connection, _CLAIMS, {"members": list(members)})
        return tuple(map(_known_claim, rows))

    def claimants(
        self, kind: ClaimKind, value: str, *, verified: bool = True
    ) -> tuple[ContactId, ...]:
        """Return the roots of persons of whom this is claimed, oldest contact first.

        Without ``verified``, claims that nobody vouches for count as well.
        """
        statement = _CLAIMED_AND_VERIFIED if verified else _CLAIMED
        asked = {"of_kind": kind.value, "of_value": value}
        rows = many(self._connection, statement, asked)
        return tuple(ContactId(row["id"]) for row in rows)

    def record_merge(self, record: MergeRecord) -> None:
        """Insert "these two are one"."""
        self._connection.execute(
            _ADD_MERGE,
            {
                "id": record.id,
                "keep_id": record.keep,
                "fold_id": record.fold,
                "at": record.at,
                "by": record.by,
                "why": record.why,
                "undone_at": record.undone_at,
                "undone_by": record.undone_by,
            },
        )

    def merge_record(self, record_id: str) -> MergeRecord:
        """Return a merge; raises NotFound."""
        return _merge(the(self._connection, _MERGE, {"of": record_id}, f"merge {record_id}"))

    def undo_merge(self, record_id: str, *, at: datetime, by: str) -> None:
        """Mark a merge as taken back; raises Conflict if it was."""
        values = {"of": record_id, "undone_at": at, "undone_by": by}
        must_change(self._connection, _UNDO, values, f"merge {record_id} was undone already")

    def merges(self, members: Collection[ContactId]) -> tuple[MergeRecord, ...]:
        """Return all merges that name one of ``members``, undone ones too, oldest first."""
        rows = many(self._connection, _MERGES, {"members": list(members)})
        return tuple(map(_merge, rows))

    def set_roots(self, roots: Mapping[ContactId, ContactId]) -> None:
        """Write who stands for each contact, in the order of their ids."""
        for contact, root in sorted(roots.items()):
            self._connection.execute(_SAVE, {"of": contact, "root_id": root})

    def case_version(self, contact: ContactId) -> int:
        """Return the root's counter of changes to the person's cases. Raises NotFound."""
        row = the(self._connection, _CASE_VERSION, {"of": contact}, f"contact {contact}")
        version: int = row["case_version"]
        return version

    def bump_case_version(self, contact: ContactId) -> None:
        """Count one more change to the cases of the person (on the root)."""
        self._connection.execute(_BUMP, {"of": contact})

    def renew_case_versions(self, contacts: Collection[ContactId]) -> None:
        """Give them all one counter that is higher than any of them ever had.

        Whoever is one person from now on, or no longer is, was never seen with this counter.
        """
        asked = {"members": list(contacts)}
        highest: int = self._connection.execute(_HIGHEST, asked).scalar_one()
        self._connection.execute(_RENEW, {**asked, "renewed": highest + 1})


def _standing(contact: Contact) -> dict[str, object]:
    return {
        "name": contact.name,
        "language": contact.language,
        "vip": contact.vip,
        "note": contact.note,
    }


def contact_values(contact: Contact) -> dict[str, object]:
    """Return a contact as its row states it."""
    born = {"id": contact.id, "root_id": contact.root, "created_at": contact.created_at}
    return {**born, **_standing(contact)}


def identity_values(known: KnownIdentity) -> dict[str, object]:
    """Return an identity as its row states it."""
    return {
        "account": known.identity.account,
        "external_id": known.identity.external_id,
        "channel": known.identity.channel,
        "contact_id": known.contact,
        "name": known.name,
        "following": known.following,
        "first_seen_at": known.first_seen_at,
        "last_seen_at": known.last_seen_at,
        "profile_asked_at": known.profile_asked_at,
    }


def _key(identity: Identity) -> dict[str, object]:
    return {"of_account": identity.account, "of_external_id": identity.external_id}


def as_contact(row: Found) -> Contact:
    """Return a contact as its row has it."""
    return Contact(
        id=ContactId(row["id"]),
        root=ContactId(row["root_id"]),
        name=row["name"],
        language=row["language"],
        vip=row["vip"],
        created_at=row["created_at"],
        note=row["note"],
    )


def _identity(row: Found) -> Identity:
    return Identity(
        channel=ChannelName(row["channel"]),
        account=AccountName(row["account"]),
        external_id=row["external_id"],
    )


def as_known(row: Found) -> KnownIdentity:
    """Return an identity with its contact, as its row has it."""
    return KnownIdentity(
        identity=_identity(row),
        contact=ContactId(row["contact_id"]),
        name=row["name"],
        following=row["following"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        profile_asked_at=row["profile_asked_at"],
    )


def _known_claim(row: RowMapping) -> KnownClaim:
    return KnownClaim(
        identity=_identity(row),
        contact=ContactId(row["contact_id"]),
        claim=Claim(
            kind=ClaimKind(row["kind"]),
            value=row["value"],
            verified=row["verified"],
            source=row["source"],
        ),
        at=row["at"],
    )


def _merge(row: RowMapping) -> MergeRecord:
    return MergeRecord(
        id=row["id"],
        keep=ContactId(row["keep_id"]),
        fold=ContactId(row["fold_id"]),
        at=row["at"],
        by=row["by"],
        why=row["why"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )
