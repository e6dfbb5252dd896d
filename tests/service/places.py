"""Where conversations stand: each open one in one place, and what says so says the same."""

from router.domain.conversation import Offered, WithBot, holder
from router.domain.ids import ConversationId
from router.service.unit import Unit


def misplaced(unit: Unit) -> list[str]:
    """Return what is wrong: two places for one conversation, or an offer that nothing holds."""
    wrong: list[str] = []
    places: dict[ConversationId, list[str]] = {}
    held_by = {
        each.id: agent.id
        for agent in unit.workforce.all()
        for each in unit.conversations.held_by(agent.id)
    }
    for held in unit.conversations.open():
        places.setdefault(held.id, []).append(type(held.state).__name__)
        agent = holder(held.state)
        if agent is not None and held_by.get(held.id) != agent:
            wrong.append(f"{held.id} is not among what {agent} holds")
        if isinstance(held.state, Offered):
            found = unit.workforce.reservation(held.state.reservation)
            if found.ended or (found.conversation, found.agent) != (held.id, held.state.agent):
                wrong.append(f"{held.id} is offered by a reservation that says otherwise")
        if isinstance(held.state, WithBot) and agent is not None:
            wrong.append(f"{held.id} is with the bot and with {agent}")
    wrong += [f"{name} stands twice" for name, found in places.items() if len(found) > 1]
    return wrong + [f"{name} is held and not open" for name in held_by if name not in places]
