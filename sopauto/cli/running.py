"""How commands name the acting person, and how machine work is run and told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.cli.console import Context, app, hint, print_json, say, told_after
from sopauto.cli.typed import one_line
from sopauto.errors import BadInput, SopautoError

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.tickets.desk import Desk

HELP = {
    "ticket": "the ticket's id, such as PS-2026-0001",
    "as": "who acts (default: $SOPAUTO_AS); the signing key still has to be theirs",
    "key": "private key file to sign with (default: $SOPAUTO_KEY, then ssh-agent, then ~/.ssh)",
    "json": "print JSON",
}

MODULE_COMMANDS: Final = frozenset(
    {
        "access.grant",
        "access.revoke",
        "custody.check",
        "custody.connect",
        "custody.disconnect",
        "inventory.collect",
        "server.harden",
        "server.provision",
        "software.configure",
        "software.install",
        "software.remove",
        "software.test",
    }
)
"""The technical modules that have a command of their own name; `ticket.run` runs the others."""


def desk_of(c: Context, person: str, key: str, *, json: bool) -> tuple[Desk, str]:
    """Return the desk at which a person acts, and the person's id; raises BadInput when nobody is named.

    Progress is told as it comes, unless JSON is asked for.
    """
    from sopauto.app import quiet

    person = person or os.environ.get("SOPAUTO_AS", "")
    if not person:
        raise BadInput("nobody is named as the acting person", mend="add `--as PERSON` or set SOPAUTO_AS")
    chosen = key or os.environ.get("SOPAUTO_KEY", "")
    return app(c).desk(person, key=Path(chosen) if chosen else None, report=quiet if json else say), person


def send_mail(here: App, *, json: bool) -> bool:
    """Deliver what the action put into the outbox; with the mail server away it waits, and the action stands.

    Return whether all of it was sent.
    """
    from sopauto.mail.outbox import deliver

    try:
        if not here.outbox.due(here.clock.now()):
            return True
        delivery = deliver(here.outbox, here.transport, here.clock)
    except (SopautoError, OSError, ValueError) as error:
        # The action is written: what is wrong with the mail must not make it look refused.
        if not json:
            say(f"  mail: waits ({one_line(error)})")
        return False
    if delivery.waiting and not json:
        hint(f"  mail: {delivery.waiting} wait ({delivery.reason}); `inv mail.send` tries again")
    if delivery.refused and not json:
        hint(f"  mail: {delivery.refused} refused; see `inv mail.list`")
    return not delivery.waiting and not delivery.refused


def run_module(c: Context, ticket: str, module: str | None, *, person: str, key: str, json: bool) -> None:
    """Run a ticket's machine work and print how it ended."""
    from sopauto.cli.ticket_text import tell_standing
    from sopauto.tickets.running import run

    desk, person = desk_of(c, person, key, json=json)
    after, result = run(desk, ticket, person=person, module=module)
    with told_after(after.id, json=json):
        send_mail(app(c), json=json)
        if json:
            told = {"ticket": after.id, "changed": result.changed, "summary": result.summary}
            print_json(told | {"facts": result.facts})
            return
        say(f"{after.id}: {result.summary}")
        tell_standing(app(c), after)
