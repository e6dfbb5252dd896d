"""What a caller can do wrong: each with a stable code that the edge turns into words."""


class DomainError(Exception):
    """A rule was broken by the caller. ``code`` is stable and is said in the reader's language."""

    code = "domain_error"


class IllegalStep(DomainError):
    """The thing is not in a state in which this can be done."""

    code = "illegal_step"


class CannotMerge(DomainError):
    """The two contacts cannot be made one."""

    code = "cannot_merge"


class CannotSplit(DomainError):
    """The merge cannot be undone."""

    code = "cannot_split"


class WindowClosed(DomainError):
    """The platform no longer lets us write to this contact."""

    code = "window_closed"


class QuotaUsed(DomainError):
    """The platform lets us write again only after the contact has written."""

    code = "window_quota"


class CannotReply(DomainError):
    """The conversation's channel takes no replies, or not of this kind."""

    code = "cannot_reply"


class NotYours(DomainError):
    """The conversation or offer belongs to another agent."""

    code = "not_yours"


class Invalid(DomainError):
    """A value is outside what is allowed; the message names the field and the fix."""

    code = "invalid"


class CaseStillOpen(DomainError):
    """A case needs acknowledgement and a resolution before it closes."""

    code = "case_still_open"


class PromotionHeld(DomainError):
    """Nothing promotional goes to a contact with an open complaint."""

    code = "promotion_held"


class OwnWork(DomainError):
    """Somebody else must review or approve what one has written."""

    code = "own_work"


class NotFilled(DomainError):
    """A script cannot be sent because a value that it needs is not known; the message names it."""

    code = "not_filled"


class ReplyHeld(DomainError):
    """The shop lets no such reply go; the message names the coach's rules."""

    code = "reply_held"
