"""Who is this? Identities find their contact; verified claims join contacts, with a record."""

from datetime import datetime
from itertools import combinations

from router.domain.contact import Contact, MergeRecord, plan_merge, roots
from router.domain.events import Happened
from router.domain.evidence import strength
from router.domain.identity import Claim, ClaimKind, Identity, joins
from router.domain.ids import ContactId
from router.domain.policy import ShopPolicy
from router.service.awareness import reveal
from router.service.probable import propose
from router.service.records import Alert, KnownIdentity
from router.service.unit import Unit

#: What several people may have in common, and from how many on one account who have it they are
#: strangers rather than one person with several devices.
_MAY_BE_SHARED = frozenset({ClaimKind.PHONE, ClaimKind.EMAIL})
_STRANGERS = 5


def recognise(
    unit: Unit,
    identity: Identity,
    *,
    claims: tuple[Claim, ...],
    name: str,
    language: str,
    policy: ShopPolicy,
    at: datetime,
) -> ContactId:
    """Return the origin contact of ``identity``, made if it is new; learn its claims.

    A new identity with a verified claim that a known person has, joins that person.
    """
    known = unit.contacts.known(identity.account, identity.external_id)
    if known is None:
        contact = _newcomer(unit, identity, name=name, language=language, at=at)
    else:
        contact = known.contact
        unit.contacts.seen(identity, at=at, name=name)
    for each in sorted(claims, key=lambda one: (one.kind, one.value)):
        claim(unit, identity, each, policy=policy, at=at)
    return contact


def _newcomer(
    unit: Unit, identity: Identity, *, name: str, language: str, at: datetime
) -> ContactId:
    contact = ContactId(unit.new_id())
    unit.contacts.add(
        Contact(
            id=contact,
            root=contact,
            name=name,
            language=language,
            vip=False,
            created_at=at,
        )
    )
    unit.contacts.attach(
        KnownIdentity(
            identity=identity,
            contact=contact,
            name=name,
            following=False,
            first_seen_at=at,
            last_seen_at=at,
            profile_asked_at=None,
        )
    )
    return contact


def claim(unit: Unit, identity: Identity, said: Claim, *, policy: ShopPolicy, at: datetime) -> None:
    """Keep a claim. If it proves that two contacts are one person, make them one at once.

    What several strangers share (the phone of a family, a switchboard) proves nothing: then who has
    it is only proposed to be one of them.
    """
    if joins(said):
        unit.contacts.hold_claim(said)  # two who prove the same at once must see each other
    known = unit.contacts.known(identity.account, identity.external_id)
    if known is None or not unit.contacts.add_claim(identity, said, at=at):
        return
    if not joins(said):
        return
    here = unit.contacts.get(known.contact)
    others = [each for each in unit.contacts.claimants(said.kind, said.value) if each != here.root]
    shared = _is_shared(unit, said, others)
    for other in others:
        if unit.contacts.get(other).root == here.root:
            continue
        if taken_apart(unit, here.root, other):
            continue  # a person said that they are two; evidence alone does not undo that
        if contradict(unit, here.root, other):
            _tell_contradiction(unit, here.root, other, said, at=at)
            continue
        if shared:
            worth = strength(frozenset({said.kind}))
            propose(unit, here.root, other, why=said.kind.value, worth=worth, at=at)
            continue
        keep, gone = elder(unit, here.root, other)
        why = f"{said.kind}:{said.source}"
        fold(unit, keep=keep, gone=gone, by="rule", why=why, policy=policy, at=at)
        here = unit.contacts.get(known.contact)


def _is_shared(unit: Unit, said: Claim, others: list[ContactId]) -> bool:
    """Return whether people who are known to be several have the same phone or address."""
    if said.kind not in _MAY_BE_SHARED:
        return False
    if any(contradict(unit, one, other) for one, other in combinations(others, 2)):
        return True
    members = [member for each in others for member in unit.contacts.members(each)]
    having = {
        (known.identity.account, known.identity.external_id)
        for known in unit.contacts.claims(members)
        if (known.claim.kind, known.claim.value, known.claim.verified)
        == (said.kind, said.value, True)
    }
    accounts = [account for account, _external_id in having]
    return any(accounts.count(each) >= _STRANGERS for each in accounts)


def contradict(unit: Unit, one: ContactId, other: ContactId) -> bool:
    """Return whether the shop itself says that these are two: different members of one account."""
    ours, theirs = _memberships(unit, one), _memberships(unit, other)
    return any(
        ours[account] and theirs[account] and not ours[account] & theirs[account]
        for account in ours.keys() & theirs.keys()
    )


def _memberships(unit: Unit, person: ContactId) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for known in unit.contacts.claims(unit.contacts.members(person)):
        if known.claim.kind is ClaimKind.MEMBER and known.claim.verified:
            found.setdefault(known.identity.account, set()).add(known.claim.value)
    return found


def _tell_contradiction(
    unit: Unit, one: ContactId, other: ContactId, said: Claim, *, at: datetime
) -> None:
    facts = {"contact": one, "other": other, "claim": said.kind.value}
    unit.journal.alert(
        Alert(
            id=unit.new_id(),
            at=at,
            agent=None,
            kind="identity_contradiction",
            conversation=None,
            case=None,
            facts=facts,
            seen_at=None,
        )
    )
    unit.record(Happened(kind="alert_raised", contact=one, facts=facts), at=at)


def taken_apart(unit: Unit, one: ContactId, other: ContactId) -> bool:
    """Return whether a person said that the two are not one."""
    ours = set(unit.contacts.members(one))
    theirs = set(unit.contacts.members(other))
    return any(
        record.undone_at is not None
        and record.undone_by != "rule"
        and {record.keep, record.fold} & ours
        and {record.keep, record.fold} & theirs
        for record in unit.contacts.merges(ours | theirs)
    )


def elder(unit: Unit, one: ContactId, other: ContactId) -> tuple[ContactId, ContactId]:
    """Return the two with the one first that has been known for longer: it keeps the name."""
    first, second = unit.contacts.get(one), unit.contacts.get(other)
    if (first.created_at, first.id) <= (second.created_at, second.id):
        return first.id, second.id
    return second.id, first.id


def fold(
    unit: Unit,
    *,
    keep: ContactId,
    gone: ContactId,
    by: str,
    why: str,
    policy: ShopPolicy,
    at: datetime,
) -> MergeRecord:
    """Make two contacts one; raises CannotMerge if they are. Nothing is rewritten.

    What either side complained of is known to whoever holds the other from now on.
    """
    for each in sorted((keep, gone)):
        unit.contacts.lock(each)
    kept, folded = unit.contacts.get(keep), unit.contacts.get(gone)
    record = plan_merge(kept, folded, record_id=unit.new_id(), by=by, why=why, at=at)
    unit.contacts.record_merge(record)
    refresh_roots(unit, record)
    unit.record(
        Happened(
            kind="contacts_merged",
            contact=record.keep,
            facts={"fold": record.fold, "by": by, "why": why, "merge": record.id},
        ),
        at=at,
    )
    reveal(unit, record.keep, policy=policy, at=at)
    return record


def refresh_roots(unit: Unit, record: MergeRecord) -> None:
    """Write who stands for whom, for everybody whom ``record`` concerns.

    No decision about one of them from before can be carried out afterwards.
    """
    touched = set(unit.contacts.members(record.keep)) | set(unit.contacts.members(record.fold))
    while True:
        merges = unit.contacts.merges(touched)
        named = {record.keep for record in merges} | {record.fold for record in merges}
        if named <= touched:
            break
        for each in named - touched:
            touched |= set(unit.contacts.members(each))
            touched.add(each)
    unit.contacts.set_roots(roots(touched, merges))
    concerned = {*unit.contacts.members(record.keep), *unit.contacts.members(record.fold)}
    unit.contacts.renew_case_versions(concerned)
