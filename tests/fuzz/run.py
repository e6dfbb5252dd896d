"""``make fuzz``: throws changed deliveries and answers at every adapter for so many minutes.

MINUTES (10), SEED (drawn and printed), NAME (one channel), REPLAY (a kept input) come from the
environment. What breaks is kept under FOLDER (var/fuzz) as a capture, and the command fails.
"""

import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.fuzz.probe import Broken, Shot, Target, judge, shot, shot_of, targets, told_of

CHANGES = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6)
#: Inputs that one channel gets before it is the next one's turn.
ROUND = 300
#: Characters by which two reports of one channel are told apart.
_ALIKE = 40


def volley(channel: str, seed: int, count: int, tell: Callable[[str], None]) -> Shot | None:
    """Throw ``count`` inputs at a channel; return the smallest that breaks it, or None."""
    last: list[Shot] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(target=st.sampled_from(targets()[channel]), changes=CHANGES)
    def thrown(target: Target, changes: list[int]) -> None:
        made = shot(target, changes)
        last[:] = [made]
        tell(judge(made))

    try:
        thrown()
    except Broken:
        return last[0]
    return None


def why_broken(made: Shot) -> str:
    """Return what is wrong with what comes of ``made``; empty if nothing is."""
    try:
        judge(made)
    except Broken as error:
        return str(error)
    return ""


def keep(made: Shot, folder: Path) -> Path:
    """Write an input that broke its adapter into ``folder``; return the file."""
    told = json.dumps(told_of(made, why_broken(made)), ensure_ascii=False, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{made.target.case.channel.name}-{sha256(told.encode()).hexdigest()[:12]}.json"
    path = folder / name
    path.write_text(told, encoding="utf-8", errors="replace")
    return path


def main() -> int:
    """Run until the time is over; return 1 if anything broke."""
    replay = os.environ.get("REPLAY", "")
    if replay:
        why = why_broken(shot_of(json.loads(Path(replay).read_text(encoding="utf-8"))))
        print(f"{replay}: {why or 'nothing is wrong with it now'}")  # noqa: T201
        return 1 if why else 0
    minutes = float(os.environ.get("MINUTES") or "10")
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**9))
    folder = Path(os.environ.get("FOLDER") or "var/fuzz")
    only = os.environ.get("NAME", "")
    channels = [name for name in targets() if only in ("", name)]
    if not channels:
        print(f"NAME: there is no channel {only}; mainstem channels lists them")  # noqa: T201
        return 2
    print(f"{len(channels)} channels, {minutes:g} minutes, SEED={seed}", flush=True)  # noqa: T201
    made: Counter[str] = Counter()
    found: dict[tuple[str, str], Path] = {}
    ends, turn = time.monotonic() + minutes * 60, 0
    while time.monotonic() < ends:
        channel = channels[turn % len(channels)]
        broken = volley(channel, seed + turn, ROUND, lambda word: made.update((word,)))
        if broken is not None:
            why = why_broken(broken)
            if (channel, why[:_ALIKE]) not in found:
                found[channel, why[:_ALIKE]] = path = keep(broken, folder)
                print(f"{broken.target!r}: {why[:300]}; REPLAY={path}", flush=True)  # noqa: T201
        turn += 1
    words = ", ".join(f"{count} {word}" for word, count in made.most_common())
    print(f"{made.total()} inputs, {turn / len(channels):.1f} rounds: {words}")  # noqa: T201
    print(f"{len(found)} things broke" if found else "nothing broke")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
