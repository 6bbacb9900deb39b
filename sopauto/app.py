"""The composition root: the only place that chooses store, drivers and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.access.domain import ACCESS
from sopauto.clock import Clock, OfficeHours, SystemClock
from sopauto.custody.domain import CUSTODY
from sopauto.inventory.domain import INVENTORY
from sopauto.people import People, read_people, refuse_faults
from sopauto.procedures.known import Fault, Known
from sopauto.procedures.library import Library
from sopauto.procedures.model import Procedure
from sopauto.schedule import SHARED, Job
from sopauto.servers.domain import SERVERS
from sopauto.settings import DAYS, Settings, load_settings, period
from sopauto.software.domain import SOFTWARE
from sopauto.technical.run_files import roots_of, shipped
from sopauto.tickets.domain import Domain, Workspace
from sopauto.tickets.model import Ticket
from sopauto.tickets.offers import Offers
from sopauto.tickets.storage import Part, Reader
from sopauto.work import OnDemand, Report, TechnicalModule

if TYPE_CHECKING:
    from datetime import date, datetime

    from sopauto.documents.form import Form
    from sopauto.drivers.signing import SshKeygenSigner
    from sopauto.inventory.comparing.difference import Comparison
    from sopauto.inventory.comparing.drift import Drift
    from sopauto.inventory.kept.history import Scan
    from sopauto.inventory.kept.store import SqlHistory
    from sopauto.inventory.scanning.scan import Tally
    from sopauto.mail.smtp import Smtp
    from sopauto.store.kept import KeptFiles
    from sopauto.store.outbox import SqlOutbox
    from sopauto.store.sqlstore import SqlStore
    from sopauto.tickets.desk import Desk
    from sopauto.tickets.reminding import Reminding

DOMAINS: Final[tuple[Domain[Form], ...]] = (ACCESS, CUSTODY, INVENTORY, SERVERS, SOFTWARE)
"""The domains of this installation. One line adds one."""
OFFERS: Final = Offers(domains=DOMAINS)
CHANGING: Final = tuple(name for name, module in OFFERS.modules.items() if module.changes)
"""Names of the technical modules that change a machine."""


def quiet(_: str) -> None:
    """Report nothing."""


class App:
    """Everything that a workspace needs, each part made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def people(self) -> People:
        """Who holds which position and key, to look at what was done; nobody acts by a file with faults (`desk`)."""
        return read_people(self.settings.people)

    @cached_property
    def library(self) -> Library:
        """The SOPs: the agency's own before the shipped ones."""
        return Library(self.settings.procedures, known=known(self.settings.templates, self.settings.root))

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock in the agency's time zone."""
        return SystemClock(self.settings.zone)

    @cached_property
    def hours(self) -> OfficeHours:
        """The agency's office hours and holidays."""
        settings = self.settings
        return OfficeHours(
            zone=settings.zone,
            week={DAYS.index(day): tuple(map(period, texts)) for day, texts in settings.office.hours.items()},
            country=settings.office.country or None,
            extra_holidays=frozenset(settings.office.extra_holidays),
        )

    @cached_property
    def store(self) -> SqlStore:
        """Tickets, journal, documents, assets and outbox."""
        from sopauto.store.engine import open_store

        return open_store(self.settings.database, parts())

    @cached_property
    def kept(self) -> KeptFiles:
        """Ends of machine work whose entries could not be written yet."""
        from sopauto.store.kept import FOLDER, KeptFiles

        return KeptFiles(self.settings.root / FOLDER)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The messages that wait or were sent."""
        return self.store.outbox

    @cached_property
    def transport(self) -> Smtp:
        """The agency's mail server."""
        from sopauto.mail.smtp import Smtp

        return Smtp(self.settings.mail)

    @cached_property
    def workspace(self) -> Workspace:
        """What the agency set and who its people are, as domains take it."""
        return Workspace(settings=self.settings, people=self.people, clock=self.clock)

    @cached_property
    def offers(self) -> Offers:
        """What the domains offer."""
        return OFFERS

    def modules(self) -> Mapping[str, TechnicalModule]:
        """Return the technical modules by name, each made with its driver when it is first asked for."""
        steps = self.offers.steps
        return OnDemand(steps, lambda name: steps[name].make(self.workspace, name))

    def desk(self, person: str, *, key: Path | None = None, report: Report = quiet) -> Desk:
        """Return the desk at which a person acts; raises BadInput (unknown person, a people file with faults)."""
        from sopauto.documents.forms import Forms
        from sopauto.drivers.processes import Processes
        from sopauto.drivers.signing import SshKeygenSigner
        from sopauto.mail.messages import Letters
        from sopauto.tickets.desk import Desk
        from sopauto.tickets.parameters import ModuleParameters

        settings = self.settings
        today = self.clock.now().date()
        refuse_faults(self.people).person(person)
        return Desk(
            store=self.store,
            people=self.people,
            procedures=self.library,
            signer=SshKeygenSigner(person=person, allowed=[k.public for k in self.people.keys(person, today)], key=key),
            clock=self.clock,
            hours=self.hours,
            papers=Forms(forms(), settings, self.people, self.hours),
            messages=Letters(settings, self.people),
            modules=self.modules(),
            parameters=ModuleParameters(offers=self.offers, workspace=self.workspace),
            workers=Processes(),
            kept=self.kept,
            read_people=lambda: refuse_faults(read_people(settings.people)),
            report=report,
            offers=self.offers,
            workspace=self.workspace,
        )

    def signer(self, person: str, *, key: Path | None = None, namespace: str) -> SshKeygenSigner:
        """Return what signs as a person for a purpose; raises BadInput (unknown person)."""
        from sopauto.drivers.signing import SshKeygenSigner

        allowed = [known.public for known in self.people.keys(person, self.clock.now().date())]
        return SshKeygenSigner(person=person, allowed=allowed, key=key, namespace=namespace)

    @cached_property
    def history(self) -> SqlHistory:
        """The monthly inventory."""
        from sopauto.inventory.kept.store import SqlHistory

        return SqlHistory(self.store)

    @cached_property
    def comparison(self) -> Comparison:
        """What was compared already: a report asks for most pairs of snapshots twice."""
        from sopauto.inventory.comparing.difference import Comparison

        return Comparison(self.history)

    def scan(
        self,
        only: Sequence[str] = (),
        *,
        begun: Scan | None = None,
        pin: bool = False,
        month: str = "",
        show: Callable[[Tally], None],
    ) -> tuple[Scan, Tally]:
        """Read the servers in the room (or those named), or go on with a scan that was broken off.

        Raises: BadInput (not in the room, no such login), Conflict (another scan runs, the month has a scan).
        """
        from sopauto.inventory.reading import script, snapshot
        from sopauto.inventory.scanning.openssh import OpenSsh
        from sopauto.inventory.scanning.scan import Limits, Scanner
        from sopauto.inventory.scanning.targets import left_in, servers_in_the_room, targets

        inventory, custody = self.settings.inventory, self.settings.custody
        limits = Limits(parallel=inventory.parallel, seconds=inventory.seconds, pin=pin)
        with OpenSsh(credentials=self.settings.credentials) as shell, self.history.alone():
            shell.refuse_unknown(custody.inventory_credentials)
            scanner = Scanner(
                shell,
                self.history,
                script=script.source(inventory.skip),
                parse=snapshot.parse,
                now=self.clock.now,
                show=show,
            )
            with self.store.read() as reader:
                assets = reader.assets
                servers = left_in(self.history, assets, begun) if begun else servers_in_the_room(assets, only)
                login = (custody.ssh_port, custody.inventory_credentials)
                wanted = targets(servers, reader.pinned_host_key, *login, by_form=inventory.by_form)
            scan = begun or self.history.begin(self.clock.now(), len(wanted), only, month)
            return scan, scanner.run(scan, wanted, limits)

    def drift(
        self, only: Sequence[str] = (), *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[Drift]:
        """Return how the servers in the room differ from what was last approved, where no ticket explains it.

        `until`: as they were last read by then (default: now). Raises: BadInput (a server is not in the room).
        """
        from sopauto.inventory.comparing.done_work import done_work
        from sopauto.inventory.comparing.drift import Work, drift
        from sopauto.inventory.scanning.targets import servers_in_the_room

        with self.store.read() as reader:
            servers = servers_in_the_room(reader.assets, only)
            works = [Work(**asdict(work)) for work in done_work(reader, self.procedure_of, CHANGING)]
        return list(
            drift(self.comparison, servers, works, self.offers.explains, now=until or self.clock.now(), since=since)
        )

    def recap(self, month: date) -> dict[str, Any]:
        """Return the recapitulation of a month, by its first day; raises BadInput (the agency's `end_of_life.yaml`)."""
        from sopauto.inventory.reports.month import begin_counting, moments, recapitulate
        from sopauto.inventory.scanning.targets import servers_in_the_room

        before, end = moments(month, self.settings.zone)
        at = min(self.clock.now(), end)
        with self.store.read() as reader:
            servers, racks = servers_in_the_room(reader.assets), reader.assets.racks()
        counting, drift = begin_counting(self.settings, at), self.drift(until=at)
        return recapitulate(self.comparison, counting, servers, racks, drift, month=month, before=before, at=at)

    def reminding(self) -> Reminding:
        """Return what reminding of overdue rows takes."""
        from sopauto.mail.reminders import ReminderLetters
        from sopauto.tickets.reminding import Reminding

        return Reminding(
            store=self.store,
            people=self.people,
            clock=self.clock,
            hours=self.hours,
            letters=ReminderLetters(self.settings),
            procedure_of=self.procedure_of,
            escalate_after=self.settings.office.escalate_after,
        )

    def procedure_of(self, ticket: Ticket, reader: Reader) -> Procedure:
        """Return the version of the SOP that the ticket was opened with."""
        return self.procedure_from(reader.document(ticket.procedure_digest), f"{ticket.id}/sop.yaml")

    def procedure_from(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes."""
        return self.library.parse(source, where)


def forms() -> dict[str, Form]:
    """Return the forms of the domains and those that belong to none, by the name that `dokumen` gives them."""
    from sopauto.documents import forms as shared

    return {**shared.SHARED, **{name: form for domain in DOMAINS for name, form in domain.forms().items()}}


def parts() -> dict[Part[Any], Callable[[Any], Any]]:
    """Return what makes each domain's own part of a transaction."""
    return {part: make for domain in DOMAINS for part, make in domain.parts.items()}


def jobs() -> tuple[Job, ...]:
    """Return the timers of the domains and those that belong to none."""
    return (*(job for domain in DOMAINS for job in domain.jobs), *SHARED)


def known(templates: Path | None = None, root: Path | None = None) -> Known:
    """Return the names that an SOP may use: what sopauto implements, and the agency's own e-mail templates.

    `root` is the workspace, whose playbooks and roles come before the shipped ones.
    """
    from sopauto.mail.messages import MESSAGES, named_in

    own = named_in(templates / "mail") if templates else frozenset()
    return Known(
        modules=OFFERS.modules,
        effects=OFFERS.marks,
        waits=[reason for domain in DOMAINS for reason in domain.waits],
        forms=forms(),
        messages=MESSAGES | own,
        carried=partial(_carried, roots_of(root) if root else (shipped(),)),
    )


def _carried(roots: Sequence[Path], module: str, parameters: Mapping[str, Any]) -> Iterable[Fault]:
    step = OFFERS.steps.get(module)
    return step.carried(roots, parameters) if step and step.carried else ()


def shipped_library() -> Library:
    """Return the SOPs that need no workspace."""
    return Library((), known=known())


def build(start: Path | None = None) -> App:
    """Return the application of the workspace around a directory (default: $SOPAUTO_HOME, then the present one).

    Raises: BadInput, when there is no `sopauto.toml`.
    """
    return App(load_settings(start))
