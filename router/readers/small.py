"""The reader that is always there: rules and words, in the daemon's own process."""

from router.readers.work import Work
from router.service.hearing import Heard, Run
from router.understanding.reader import RuleReader

#: Characters that the fast tier looks at; what comes later is read in its turn.
_OPENING = 2000


class Small:
    """Reads by rules alone. Threads may share it."""

    def __init__(self, reader: RuleReader) -> None:
        self.name = reader.name
        self._reader = reader
        self._work = Work(reader, None)

    def hear(self, run: Run) -> tuple[Heard, ...]:
        """Read a contact's words in order; which articles may answer is left to the library."""
        return self._work.hear(run)

    def is_urgent(self, text: str) -> bool:
        """Say whether the rules hear an alert in the opening of ``text``."""
        return self._reader.is_alert(text[:_OPENING])
