"""E-mail: what waits in the outbox, and sending it."""

from __future__ import annotations

from sopauto.cli.console import Context, app, command, print_json, say, table
from sopauto.errors import BadInput, StepFailed


@command(help={"json": "print JSON"})
def send(c: Context, json: bool = False) -> None:
    """Deliver the e-mails that wait. Every action tries by itself; let a timer try again."""
    from sopauto.mail.outbox import deliver

    here = app(c)
    delivery = deliver(here.outbox, here.transport, here.clock)
    if json:
        print_json({"sent": delivery.sent, "waiting": delivery.waiting, "refused": delivery.refused})
    else:
        say(f"{delivery.sent} sent, {delivery.waiting} wait, {delivery.refused} refused")
    if delivery.waiting:
        raise StepFailed(f"{delivery.waiting} e-mails wait ({delivery.reason})", mend="repeat with `inv mail.send`")


@command(name="list", help={"limit": "how many (default: 50)", "json": "print JSON"})
def list_(c: Context, limit: int = 50, json: bool = False) -> None:
    """List e-mails, the newest first: sent, waiting, refused."""
    if limit < 1:
        raise BadInput("no e-mails can be listed", where="--limit", mend="write a number from 1 on")
    here = app(c)
    rows = [
        {
            "id": row.id,
            "ticket": row.ticket,
            "to": row.to,
            "subject": row.subject,
            "state": "sent" if row.sent_at else "refused" if row.refused else "waiting",
            "queued": f"{row.queued_at.astimezone(here.settings.zone):%Y-%m-%d %H:%M}",
            "tries": row.attempts,
            "reason": row.reason or "",
        }
        for row in here.outbox.rows(limit)
    ]
    if json:
        print_json(rows)
        return
    columns = ["id", "ticket", "to", "subject", "state", "queued", "tries", "reason"]
    table(columns, [[row[column] for column in columns] for row in rows], empty="no e-mails")
