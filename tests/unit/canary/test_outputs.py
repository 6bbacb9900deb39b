"""A canary over every output: whatever stands in a ticket, an SOP, an asset or a server's answer stays text there."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook
from PIL import Image

from sopauto.access.card import card_pdf
from sopauto.access.model import Held, Span
from sopauto.access.photo import read_photo
from sopauto.access.register_sheet import COLUMNS, register_pdf, row_of
from sopauto.app import forms as forms_of_all
from sopauto.assets.model import Rack
from sopauto.cli import console
from sopauto.documents.forms import Forms
from sopauto.documents.sheets import write_csv, write_xlsx
from sopauto.inventory.comparing.difference import Change, ServerDifference
from sopauto.inventory.comparing.drift import Drift
from sopauto.inventory.comparing.words import SENTENCES
from sopauto.inventory.exports import ansible, glpi, netbox, prometheus
from sopauto.inventory.kept.history import Reading
from sopauto.inventory.reading import snapshot
from sopauto.inventory.reports.papers import recap_page, recap_pdf, recap_sheet
from sopauto.journal.anchor import Anchor, Mark
from sopauto.journal.entry import Entry
from sopauto.journal.export import Closing, archive
from sopauto.mail.messages import MESSAGES, Letters
from sopauto.mail.outbox import AddresseeRefusedError
from sopauto.mail.reminders import ReminderLetters
from sopauto.mail.smtp import Smtp
from sopauto.procedures.draw import draw
from sopauto.procedures.library import Library
from sopauto.procedures.model import Field, Procedure, Step
from sopauto.procedures.show import as_json, show
from sopauto.servers.evidence_form import hardening_evidence
from sopauto.settings import Mail
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Action, State, Ticket, Verb
from sopauto.tickets.reminding import Addressee, Late, Seat
from sopauto.tickets.storage import Kind
from sopauto.tickets.storage import Mail as Letter
from tests.unit.canary.hostile import held, poisoned, texts
from tests.unit.documents import occasions
from tests.unit.documents.entering import GRANT
from tests.unit.documents.occasions import BEGIN, Books
from tests.unit.documents.test_forms import OCCASIONS
from tests.unit.inventory.placed import RACK, SERVER
from tests.unit.inventory.reading.test_snapshot import RECORDED, recorded
from tests.unit.inventory.reports.test_papers import made
from tests.unit.servers.test_evidence_form import WAIVER, control, evidence

TEXTS = (
    "templates",
    "shell",
    "formula",
    "formula after a tab",
    "formula in full width",
    "lines",
    "terminal",
    "surrogate",
)
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028\u2066\ud800-\udfff\ufeff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
WORDS = """
Procedure.code Procedure.prefix Procedure.source Procedure.digest Procedure.words Procedure.lines
Procedure.inferred Actor.id Table.id Table.columns Step.id Step.table Step.actors Step.next Step.yes Step.no
Step.back Step.waits Step.effect Step.documents Step.documents_at_no Step.inferred Step.technical Field.name
Field.kind Field.choices Message.template Message.to Message.required Head.total_time Head.inferred Ticket.id
Ticket.procedure Ticket.procedure_digest Ticket.unit Ticket.applicant Ticket.state Ticket.step Ticket.head
Ticket.plans Ticket.requesters Ticket.approvers Ticket.executors Ticket.waits_for Action.person
Action.position Action.plan Action.order DocumentRef.sha256 Attempt.ticket Attempt.step Attempt.person
Attempt.order Server.id Server.unit Server.ticket Server.mac Place.pool Rack.id Reading.reason Reading.server
Person.id Person.keys Position.id Position.superior People.holdings People.source Grant.ticket Grant.card
Grant.unit Grant.approved_by Request.zones v ticket number prev at person position verb step to sha256
procedure plan order outcome unit applicant taken_at bios_date expires mac server host digest materials status
tiket_penitipan peninjau zona login
"""
LOOKED_UP = frozenset(WORDS.split())
"""What code looks something up by or calculates with: ids, dates and digests. All else is text."""
DROP_OFF = "serah-terima-barang.pdf"
EXAMPLES = {
    "bilangan": 2,
    "tanggal": "2026-11-20",
    "tanggal-jam": "2026-11-24T09:00+07:00",
    "email": "siti@dinkes.example.go.id",
    "nama-host": "simpus-01",
    "mac": "52:54:00:12:34:56",
    "ip": "10.20.30.10",
    "sidik-kunci": f"SHA256:{'a' * 43}",
    "identitas": "198703122010012004",
}
"""A value of each kind of field that is no free text."""


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """One hostile text; at the end nothing of it has run."""
    yield texts(tmp_path / "canary")[request.param]
    assert not (tmp_path / "canary").exists()


def stated(fields: Iterable[Field], text: str) -> dict[str, Any]:
    """Return a value for each field: the text where it takes any, else an example of its kind."""
    return {
        field.name: text
        if field.kind == "teks"
        else field.choices[0]
        if field.choices
        else EXAMPLES.get(field.kind, text)
        for field in fields
    }


def typed() -> frozenset[str]:
    """Return the names of all shipped fields that are no free text."""
    fields = (field for procedure in Library(()).all() for field in _fields(procedure))
    return frozenset(field.name for field in fields if field.kind != "teks")


def _fields(procedure: Procedure) -> Iterator[Field]:
    yield from procedure.letter
    for step in procedure.steps:
        yield from step.fields


SPARE = LOOKED_UP | typed()


def in_all(value: Any, text: str) -> Any:
    return _poisoned_books(value, text) if isinstance(value, Books) else poisoned(value, text, spare=SPARE)


def _poisoned_books(books: Books, text: str) -> Books:
    """Return a store whose assets, entries and papers say the text."""
    entries = {name: [_entry(entry, text) for entry in kept] for name, kept in books.kept.items()}
    papers = {digest: _paper(content, text) for digest, content in books.papers.items()}
    assets = replace(books.assets, known=in_all(books.assets.known, text))
    return replace(books, assets=assets, kept=entries, papers=papers, tickets=in_all(books.tickets, text))


def _entry(entry: Entry, text: str) -> Entry:
    """Return an entry that says the text; forms of another ticket are looked for by their names."""
    body = json.loads(entry.body)
    documents = [one if one["name"] == DROP_OFF else in_all(one, text) for one in body["documents"]]
    return replace(entry, body=json.dumps({**in_all(body, text), "documents": documents}).encode())


def _paper(content: bytes, text: str) -> bytes:
    return json.dumps(in_all(json.loads(content), text)).encode()


def of_form(form: str, text: str) -> Occasion:
    """Return a form's occasion with the text in all of it."""
    occasion = OCCASIONS[form]()
    return replace(
        occasion,
        procedure=in_all(occasion.procedure, text),
        step=in_all(occasion.step, text),
        action=in_all(occasion.action, text),
        before=in_all(occasion.before, text),
        after=in_all(occasion.after, text),
        reader=in_all(occasion.reader, text),
        facts=in_all(occasion.facts, text),
    )


def agency(root: Path, text: str) -> Any:
    found = occasions.settings(root)
    return found.model_copy(update={"agency": in_all(found.agency, text)})


def all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield name
            yield from all_texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from all_texts(part)


@pytest.mark.parametrize("name", ["templates", "lines", "terminal", "surrogate"])
def test_forms_print_it(name: str, tmp_path: Path) -> None:
    text = texts(tmp_path / "canary")[name]
    forms = Forms(forms_of_all(), agency(tmp_path, text), in_all(occasions.people(), text))
    for form in forms_of_all():
        pdf, data = forms.make(form, of_form(form, text))
        assert pdf.content.startswith(b"%PDF-"), form
        said = list(all_texts(json.loads(data.content)))
        assert [one for one in said if HIDDEN.search(one) or "\n" in one] == [], form
        assert any(text[:20].split()[0][:4] in one for one in said) or name != "templates", form
    assert not (tmp_path / "canary").exists()


def test_forms_print_braces_and_markup_as_they_are(tmp_path: Path, need: Callable[[str], str]) -> None:
    text = texts(tmp_path / "canary")["templates"]
    forms = Forms(forms_of_all(), agency(tmp_path, text), in_all(occasions.people(), text))
    pdf, _ = forms.make("serah-terima-barang", of_form("serah-terima-barang", text))
    command = [need("pdftotext"), "-raw", "-", "-"]
    told = subprocess.run(command, input=pdf.content, capture_output=True, check=True).stdout.decode()
    assert "".join(text.split())[:60] in "".join(told.replace("\u200b", "").split())


def occasion_at(procedure: Procedure, step: Step, text: str) -> Occasion:
    """Return the completion of a row of a ticket in which everything that can be a text is the hostile one."""
    ticket = Ticket(
        id="PS-2026-0001",
        procedure=procedure.code,
        procedure_digest=procedure.digest,
        unit="dinkes",
        applicant="siti",
        letter=stated(procedure.letter, text),
        opened_at=BEGIN,
        state=State.OPEN,
        step=step.id,
        since=BEGIN,
        data={**stated((field for row in procedure.steps for field in row.fields), text), "nomor_kartu": text},
    )
    action = Action(
        verb=Verb.DONE, person="joko", position=step.actors[0], at=BEGIN, note=text, data=stated(step.fields, text)
    )
    books = Books(tickets={ticket.id: ticket})
    return Occasion(
        procedure=in_all(procedure, text),
        step=in_all(step, text),
        action=action,
        before=ticket,
        after=ticket,
        reader=cast(Any, in_all(books, text)),
        facts={},
    )


def letters(root: Path, text: str) -> Iterator[tuple[str, Letter]]:
    """Yield every e-mail of every shipped SOP, and the reminders, with the name of its template."""
    settings, people = agency(root, text), in_all(occasions.people(), text)
    people = replace(people, persons={name: replace(p, email="a@b.example") for name, p in people.persons.items()})
    for procedure in Library(()).all():
        for step in procedure.steps:
            if step.message is not None:
                mail = held(Letters(settings, people).compose, step.message, occasion_at(procedure, step, text))
                if mail is not None:
                    yield step.message.template, mail
    procedure = Library(()).get("penitipan-server")
    seat = Seat(title=text, holders=(people.person("hadi"),))
    occasion = occasion_at(procedure, procedure.steps[1], text)
    late = Late(
        procedure=occasion.procedure, ticket=occasion.after, due=BEGIN, seats=(seat,), superiors=(seat,), sent={}
    )
    for kind in (Kind.REMINDER, Kind.ESCALATION):
        to = Addressee(person=people.person("hadi"), title=text)
        yield kind.value, ReminderLetters(settings).compose(kind, late, to)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A message of the outbox."""

    to: str
    subject: str
    body: str
    id: int = 1
    ticket: str = "PS-2026-0001"
    queued_at: datetime = BEGIN
    attached: Any = None


def test_mail_keeps_its_headers_its_addressee_and_its_text(text: str, tmp_path: Path) -> None:
    sent = set()
    for template, mail in letters(tmp_path, text):
        sent.add(template)
        for subject in (mail.subject, text):
            queued = Waiting(to=mail.to, subject=subject, body=mail.body)
            raw = bytes(Smtp(Mail())._message(queued))
            message = message_from_bytes(raw, policy=policy.default)
            assert set(message.keys()) == set(HEADERS), template
            assert message["To"] == mail.to
            assert not message.is_multipart()
            assert not HIDDEN.search(message.get_content().replace("\r\n", "\n")), template
    assert sent >= MESSAGES | {"reminder", "escalation"} or text != texts(tmp_path / "canary")["templates"]
    for spoilt in ("to", "sender"):
        settings = Mail.model_construct(**{**Mail().model_dump(), **({"sender": text} if spoilt == "sender" else {})})
        queued = Waiting(to=text if spoilt == "to" else "a@b.example", subject="x", body="x")
        message = written(settings, queued)
        assert message is None or set(message_from_bytes(bytes(message)).keys()) == set(HEADERS)


def written(settings: Mail, queued: Any) -> Any:
    """Return the message (None: it cannot be one, and that is said)."""
    try:
        return Smtp(settings)._message(queued)
    except AddresseeRefusedError:
        return None


HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
)


class Page(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, frozenset[str]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, frozenset(name for name, _ in attrs)))


def recap(root: Path, text: str) -> dict[str, Any]:
    """Return a recapitulation in which servers, racks, differences, drift and faults say the text."""
    taken = in_all(recorded("debian"), text)
    change = (Change(topic=next(iter(SENTENCES)), item=text, before=text, after=text),)
    return made(
        root,
        taken,
        racks=[in_all(RACK, text), Rack(id=text, location=text, height=42)],
        unread=[Reading(server=text, taken_at="2026-11-20", reason="timeout", detail=text)],
        differences=[ServerDifference(server=text, state="changed", before_at=None, after_at=BEGIN, changes=change)],
        drift=[Drift(server=text, since=BEGIN, taken_at=BEGIN, changes=change)],
    )


def test_the_page_has_the_tags_of_an_innocent_one(text: str, tmp_path: Path) -> None:
    pages = []
    for said in ("damai", text):
        page = Page()
        page.feed(recap_page(agency(tmp_path, said), recap(tmp_path, said), BEGIN))
        pages.append(page.found)
    assert pages[0] == pages[1]


def test_sheets_hold_no_formula(text: str, tmp_path: Path) -> None:
    book = tmp_path / "a.xlsx"
    book.write_bytes(recap_sheet(recap(tmp_path, text)))
    write_xlsx(tmp_path / "b.xlsx", ["a"], [[text], [f" {text}"]], title="x")
    cells = [
        cell
        for name in ("a.xlsx", "b.xlsx")
        for sheet in load_workbook(tmp_path / name).worksheets
        for row in sheet.iter_rows()
        for cell in row
    ]
    assert [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    write_csv(tmp_path / "c.csv", ["a"], [[text], [f" {text}"]])
    files = [(tmp_path / "c.csv").read_text(encoding="utf-8-sig"), *for_netbox(text).values()]
    for row in (row for file in files for row in csv.reader(io.StringIO(file, newline=""))):
        assert [cell for cell in row if cell.lstrip().startswith(FORMULA)] == []
        assert [cell for cell in row if HIDDEN.search(cell)] == []


def for_netbox(text: str) -> dict[str, str]:
    found = in_all(recorded("debian"), text)
    found["network"] = recorded("debian")["network"] | {"neighbours": [], "host_name": text}
    return netbox.write(netbox.rows(in_all(SERVER, text), in_all(RACK, text), found))


def test_exports_are_json_and_no_templates(text: str) -> None:
    server, taken = in_all(SERVER, text), in_all(recorded("debian"), text)
    taken["network"] = recorded("debian")["network"]
    for found in (
        held(glpi.document, "web-01", taken),
        held(glpi.beside, "web-01", taken),
        prometheus.targets([server], port=9100),
        ansible.inventory([replace(server, unit=text, ticket=text)], port=22, user=text),
    ):
        told = console.json_text(found)
        assert json.loads(told) == json.loads(json.dumps(found))
        assert not HIDDEN.search(told)
        told.encode()
    variables = ansible.inventory([replace(server, unit=text, ticket=text)], port=22, user=text)["_meta"]["hostvars"]
    for value in (value for host in variables.values() for value in host.values()):
        assert not isinstance(value, str) or "{" not in value
        assert not isinstance(value, dict) or list(value) == ["__ansible_unsafe"]


def test_what_is_printed_steers_no_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.say(text)
    console.table(["a"], [[text]])
    console.print_json({text: [text]})
    procedure = in_all(Library(()).get("penitipan-server"), text)
    for line in show(procedure).splitlines():
        console.say(line)
    console.print_json(as_json(procedure))
    told = capsys.readouterr().out
    assert not HIDDEN.search(told)


def test_a_drawing_is_an_image_of_the_same_kinds_of_things(text: str) -> None:
    plain = Library(()).get("penitipan-server")
    kinds = [
        {(part.tag, frozenset(part.attrib)) for part in ElementTree.fromstring(draw(one)).iter()}
        for one in (plain, in_all(plain, text))
    ]
    assert kinds[1] <= kinds[0]


def test_papers_of_access_and_of_hardening_are_made(text: str, tmp_path: Path) -> None:
    settings = agency(tmp_path, text)
    grant = in_all(GRANT, text)
    one = Held(grant=grant, span=Span(ticket=grant.ticket, opened_at=BEGIN, opened_by=text))
    row = row_of(one, settings, in_all(occasions.people(), text))
    assert register_pdf(settings, [row], on=BEGIN.date(), at=BEGIN).startswith(b"%PDF-")
    assert len(row) == len(COLUMNS)
    picture = tmp_path / "f.jpg"
    Image.effect_noise((600, 800), 60).convert("RGB").save(picture)
    card = card_pdf(settings, grant, text, token="KA1.x.y", photo=read_photo(picture), at=BEGIN)
    assert card.startswith(b"%PDF-")
    told = in_all(evidence(control(waiver=WAIVER), control(2)), text) | {"taken_at": BEGIN.isoformat()}
    assert hardening_evidence(settings, told).startswith(b"%PDF-")
    assert recap_pdf(settings, recap(tmp_path, text), BEGIN).startswith(b"%PDF-")


def test_an_archive_runs_nothing_of_a_forged_journal(text: str, tmp_path: Path, need: Callable[[str], str]) -> None:
    trail = occasions.handed_over()
    entries = list(trail.reader.entries("PS-2026-0001"))
    paper = {"name": "surat.pdf", "sha256": "ab" * 32}
    bodies = [{**json.loads(entry.body), "documents": [paper]} for entry in entries]
    forged = [
        replace(
            entry,
            body=json.dumps(poisoned(body, text, spare=frozenset({"person", "ticket"}))).encode(),
            prev=text,
        )
        for entry, body in zip(entries, bodies, strict=True)
    ]
    packed = held(archive_of, forged, text)
    if packed is None:
        return
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    (folder,) = (tmp_path / "out").iterdir()
    run = subprocess.run([need("sh"), "periksa.sh"], cwd=folder, capture_output=True, check=False, timeout=300)
    assert run.returncode != 0


def archive_of(entries: list[Entry], text: str) -> bytes | None:
    mark = Mark(ticket=entries[0].ticket, opening=text, entries=1, head=text, row=text)
    anchor = Anchor(at=BEGIN, person=text, openings=text, people=text, marks=(mark,))
    people = occasions.people()
    try:
        closing = Closing(anchor=anchor, signature=text)
        return archive(entries, documents={text: b"isi"}, people_of=lambda _: people, closing=closing)
    except UnicodeEncodeError:
        return None  # half of an emoji was never signed


def test_what_a_server_answers_is_kept_as_text_or_left_out(text: str) -> None:
    said = [line.partition("\t") for line in (RECORDED / "debian.txt").read_text().splitlines()]
    for put in ("{value}{text}", "{text}", "{text}\t{text}", "{text} {value}"):
        lines = [f"{name}\t{put.format(value=value, text=text)}" for name, _, value in said if name != "end"]
        raw = "\n".join([*lines, "end\t1", ""]).encode(errors="surrogatepass")
        found = held(snapshot.parse, raw, datetime(2026, 11, 20, tzinfo=UTC))
        assert [one for one in all_texts(found) if HIDDEN.search(one)] == []
