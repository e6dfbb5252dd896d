"""How often Python looks for garbage: less often than by itself, once the daemon stands."""

import gc
from typing import Final

#: So many new objects before Python looks among them; by itself it does at 700. A burst of messages
#: makes many that live until the commit, and hardly a cycle.
_NEW_OBJECTS: Final = 50_000


def look_less_often() -> None:
    """Leave what stands now alone for good, and look at new objects in larger numbers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
