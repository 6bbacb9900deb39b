"""The register of access: who may enter now, who could on a day, and who came in without a right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.access.register import BOOK
from sopauto.cli.access_card import day_of
from sopauto.cli.console import Context, app, command, hint, print_json, say, table
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.access.comparing import Difference
    from sopauto.app import App

SHOWN = (0, 1, 2, 3, 4, 5, 7, 8, 9)
"""The columns that a terminal has room for."""
MOST = 50
MOST_DAYS = 3660


@command(
    help={
        "on": "the day (default: this moment)",
        "csv": "write a CSV file",
        "xlsx": "write an XLSX file",
        "pdf": "write the Formulir Daftar Akses as PDF",
        "json": "print JSON",
    }
)
def register(c: Context, on: str = "", csv: str = "", xlsx: str = "", pdf: str = "", json: bool = False) -> None:
    """List who has access, or had it on a day, and by whom it was approved (Formulir Daftar Akses)."""
    from sopauto.access.register_sheet import COLUMNS, TITLE, register_pdf
    from sopauto.documents.sheets import write_csv, write_xlsx

    here = app(c)
    day = day_of(here, on)
    if csv:
        with _rows(here, on, day) as rows:
            say(f"wrote {csv}: {write_csv(Path(csv), COLUMNS, rows)} lines")
    if xlsx:
        with _rows(here, on, day) as rows:
            say(f"wrote {xlsx}: {write_xlsx(Path(xlsx), COLUMNS, rows, title='Daftar akses')} lines")
    if pdf:
        with _rows(here, on, day) as rows:
            Path(pdf).write_bytes(register_pdf(here.settings, rows, on=day, at=here.clock.now()))
        say(f"wrote {pdf} ({TITLE})")
    if not (csv or xlsx or pdf):
        _tell(here, on, day, json=json)


@command(name="import-entries", help={"file": "the controller's CSV file; see [access.events]", "json": "print JSON"})
def import_entries(c: Context, file: str, json: bool = False) -> None:
    """Import who entered when, from a controller's event file. What is known already is not kept twice."""
    from sopauto.access.events import read_events

    here = app(c)
    with here.store.write() as writer:
        added, known = writer.part(BOOK).add_events(read_events(Path(file), here.settings.access, here.settings.zone))
    if json:
        print_json({"added": added, "known": known})
    else:
        say(f"{added} entries added, {known} known before")
        hint("  type: inv access.entries --without-right")


@command(
    help={
        "without-right": "only those whose card had no right there and then",
        "on": "the day (default: today)",
        "days": "how many days up to that one (default: 31)",
        "json": "print JSON",
    }
)
def entries(c: Context, without_right: bool = False, on: str = "", days: int = 31, json: bool = False) -> None:
    """List entries, or those by somebody without right (then exit code 1 when there are any)."""
    here = app(c)
    day = day_of(here, on)
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"{days} days cannot be listed", where="--days", mend=f"write a number from 1 to {MOST_DAYS}")
    begin, end = bounds(here, day - timedelta(days=days - 1))[0], bounds(here, day)[1]
    with here.store.read() as reader:
        rows = [
            [event.at.astimezone(here.settings.zone).isoformat(" ", "seconds"), event.card, event.zone, name, ticket]
            for event, ticket, name in reader.part(BOOK).entered(begin, end, without_right=without_right)
        ]
    columns = ["at", "card", "zone", "name", "ticket"]
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, [[cell or "-" for cell in row] for row in rows], empty="no such entries")
    if without_right and rows:
        raise StepFailed(
            f"{len(rows)} entries without right", mend="ask who it was; see `inv access.register --on DAY`"
        )


@command(help={"json": "print JSON"})
def doors(c: Context, json: bool = False) -> None:
    """Compare every door with the register; what is over and still known goes back to be ended. Exit code 1 if any."""
    from sopauto.access.comparing import comparing

    here = app(c)
    found = list(comparing(here.store, here.workspace).run())
    if json:
        print_json([{"door": d.door, "card": d.card, "told": d.told} for d in found])
    else:
        rows = [[d.door, d.card or "-", d.told, "yes" if d.reopened else "-"] for d in found]
        table(["door", "card", "told", "ended again"], rows, empty="the doors know what the register says")
    _refuse_differences(found)


def _refuse_differences(found: Sequence[Difference]) -> None:
    """Raise StepFailed where a door differs, or could not tell; count both."""
    if not found:
        return
    silent = sorted({d.door for d in found if not d.card})
    again = sorted({d.card for d in found if d.reopened})
    told = [f"{len(found) - len(silent)} differences from the register"] if len(found) > len(silent) else []
    told += [f"{len(silent)} doors could not tell ({', '.join(silent)})"] if silent else []
    mends = [f"`inv access.expire` ends {len(again)} cards again"] if again else []
    mends += ["see each above"] if len(again) < len(found) else []
    raise StepFailed("; ".join(told), mend="; ".join(mends))


def bounds(here: App, day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a day at the office, and that of the next."""
    begin = datetime.combine(day, time(), tzinfo=here.settings.zone)
    return begin, datetime.combine(day + timedelta(days=1), time(), tzinfo=here.settings.zone)


@contextmanager
def _rows(here: App, on: str, day: date) -> Iterator[Iterator[list[str]]]:
    """Open the register of a day, or of this moment where no day is named."""
    from sopauto.access.register_sheet import row_of

    now = here.clock.now()
    begin, end = bounds(here, day) if on else (now, now + timedelta(seconds=1))
    with here.store.read() as reader:
        yield (row_of(held, here.settings, here.people) for held in reader.part(BOOK).held(begin, end, day))


def _tell(here: App, on: str, day: date, *, json: bool) -> None:
    from sopauto.access.register_sheet import COLUMNS

    with _rows(here, on, day) as rows:
        if json:
            print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
            return
        lines = list(rows)
    cells = [[row[i] for i in SHOWN] for row in lines[:MOST]]
    table([COLUMNS[i] for i in SHOWN], cells, empty=f"nobody has access on {day.isoformat()}")
    if len(lines) > MOST:
        hint(f"{len(lines) - MOST} more: inv access.register {f'--on {on} ' if on else ''}--xlsx FILE")
