"""Inside `ansible-playbook`: tells what check mode cannot foresee, and stops a run before a task that nobody approved.

`watch_hooks.py` puts it there, and nothing of sopauto is imported. It stands where Ansible is about
to carry out a task, after condition and templates, so what it sees is what would run. `FOLDER/watch.json` says what may
run, `FOLDER/watched.jsonl` is what it tells, one JSON object on each line; `watched.py` reads it.
"""

from __future__ import annotations

import hashlib
import json
import linecache
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

OWN: Final = ("ansible.builtin.", "ansible.legacy.")
LOOKING: Final = frozenset({"find", "getent", "mount_facts", "package_facts", "service_facts", "slurp", "stat"})
READING: Final = LOOKING | {"assert", "fail", "validate_argument_spec", "wait_for", "wait_for_connection"}
"""Modules of Ansible that change nothing, whatever their arguments."""
INERT: Final = frozenset(
    ["debug", "gather_facts", "group_by", "include_vars", "meta", "pause", "ping", "set_fact", "set_stats", "setup"]
)
"""Those that do not even look at anything that the playbook wants."""
COMMANDS: Final = frozenset({"command", "raw", "script", "shell"})
SERVICES: Final = frozenset({"service", "systemd", "systemd_service", "sysvinit"})
ASIDE: Final = frozenset(["changed_when", "failed_when", "name", "notify", "register", "tags", "until"])
TOLD: Final = frozenset(["action", "args", "become_user", "environment", "local_action", "loop"])
FACTS: Final = frozenset({"gather_facts", "setup"})
MATCHED: Final = ("matching creates option", "matching removes option")
SECRET: Final = re.compile(r"pass(word|phrase|wd)?$|secret|token|private", re.IGNORECASE)
WORD: Final = re.compile(r"[A-Za-z_]\w*")
BRACED: Final = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
LEAVES_NOTHING: Final = "sopauto_leaves_nothing"
"""The variable by which a task, block or include says that nothing of it stays, and why."""
MOST: Final = 8 * 1024 * 1024
"""Bytes that are told in all."""
LONGEST: Final = 4000
DEEPEST: Final = 20_000
"""Characters of a variable's value in which further names are looked for."""

WILL, MAY, IF_FAILED = "will", "may", "if-failed"


class Watch:
    """What was seen so far. Ansible works through tasks in children: each begins with what is known by then."""

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / "watch.json").read_text())
        self.server: str = told["server"]
        self.check: bool = told["check"]
        self.approved: dict[str, Any] | None = told["approved"]
        self._varies = [re.compile(pattern) for pattern in told["varies"]]
        self._overridden = frozenset(told["own_modules"])
        self._folder = str(folder)
        self._report = folder / "watched.jsonl"
        self._report.touch(0o600)
        self._read = 0
        self.stopped = ""
        self.begun = False
        self.doubts: set[str] = set()
        self.blind = {"ansible_check_mode"}
        """Names that hold something else in a run, or nothing yet: not even what is told by them can be foreseen."""
        self._blindly = False
        self._open = ""
        self._rescues: set[str] = set()
        self._given: dict[str, Any] = {}

    def tell(self, **record: Any) -> None:
        """Write a record, and take it into account."""
        line = json.dumps(record, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"
        target = os.open(self._report, os.O_WRONLY | os.O_APPEND)
        try:
            if os.fstat(target).st_size > MOST and "stop" not in record:
                self.stop("the playbook tells more than can be kept")
            os.write(target, line)
        finally:
            os.close(target)
        self._take(record)

    def catch_up(self) -> None:
        """Take into account what the children told."""
        with self._report.open("rb") as report:
            report.seek(self._read)
            told = report.read()
        self._read += len(told)
        for line in told.splitlines():
            self._take(json.loads(line))

    def _take(self, record: Mapping[str, Any]) -> None:
        self.stopped = self.stopped or record.get("stop", "")
        self.begun = self.begun or record.get("kind") in {WILL, MAY} or "changed" in record
        self.doubts |= {record["doubt"]} if "doubt" in record else set()
        self.blind |= {record["doubt"]} if record.get("blind") else set()

    def stop(self, why: str) -> None:
        """Stop the run; raises AnsibleError, and no further task begins."""
        from ansible.errors import AnsibleError

        self.tell(stop=why)
        raise AnsibleError(f"stopped: {why}")

    def short(self, task: Any) -> str:
        """Return the name of Ansible's own module; of any other, and of one that a role overrides, the whole name."""
        action = str(task.action)
        name = next((action[len(own) :] for own in OWN if action.startswith(own)), action)
        whole = action.startswith(OWN[0])
        return name if whole or name not in self._overridden else f"role.{name}"

    def place(self, task: Any) -> str:
        """Return where a task stands: the file below the project, the line, and where it matters the column."""
        path, at = str(task.get_path()), task._origin
        before = linecache.getline(at.path, at.line_num or 1)[: (at.col_num or 1) - 1] if at and at.path else ""
        column = f":{at.col_num}" if before.strip(" -") else ""
        return path.removeprefix(f"{self._folder}/project/") + column

    def text(self, arguments: Any) -> str:
        """Return arguments as one text that is the same in each run."""
        words = dict(arguments) if isinstance(arguments, Mapping) else {"_raw_params": arguments}
        words.pop("_uses_shell", None)
        first = words.pop("_raw_params", None) or words.pop("cmd", None)
        told = [str(first)] if first is not None else []
        for name, value in sorted(words.items()):
            shown = "********" if SECRET.search(str(name)) else value
            written = shown if isinstance(shown, str) else json.dumps(shown, sort_keys=True, default=str)
            told.append(f"{name}={written}")
        return " ".join(told).replace(self._folder, ".")

    def digest(self, text: str) -> str:
        """Return a digest of arguments without what is declared to differ from run to run."""
        for pattern in self._varies:
            text = pattern.sub("~", text)
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()

    def doubtful(self, texts: Iterable[Any], variables: Mapping[str, Any], names: Container[str] | None = None) -> bool:
        """Tell whether texts depend on what is only known when the tasks before have run, or on these names."""
        names = self.doubts if names is None else names
        ahead, seen = set(WORD.findall(" ".join(map(str, texts)))), set[str]()
        while ahead:
            name = ahead.pop()
            seen.add(name)
            if name in names:
                return True
            value = variables.get(name)
            if isinstance(value, str | list | dict) and "{" in (text := str(value)) and len(text) < DEEPEST:
                ahead |= set(WORD.findall(text)) - seen
        return False

    def unforeseen(self, task: Any, kind: str, why: str, arguments: Any, *, seen: bool = True) -> None:
        """Tell a task whose effect nobody can foresee; `seen`: it came up itself, and was not only named by another."""
        self._open = str(task._uuid)
        hidden = "hidden (no_log)" if str(task.no_log).lower() in {"true", "yes", "1"} else ""
        vars_ = [node.vars for node in chain(task) if getattr(node, "vars", None)]
        nothing = next((str(part[LEAVES_NOTHING]) for part in vars_ if LEAVES_NOTHING in part), "")
        self.tell(
            kind=kind,
            task=str(task.get_name())[:200],
            module=str(task.action),
            arguments=hidden or shortened(self.text(arguments)),
            why=why,
            place=self.place(task),
            leaves_nothing=nothing[:200],
            seen=seen,
        )

    def harmless(self, task: Any) -> bool:
        """Tell whether a task changes nothing, whatever its arguments."""
        return self.short(task) in READING | INERT

    def before(self, executor: Any) -> None:
        """Answer for a task that is about to be carried out: condition and templates are done."""
        task = executor._task
        fault = self._fault(executor, task)
        if fault:
            self.stop(f"{task.get_name()}: {fault}")
        # As they are now: what carries a task out puts words of its own into them.
        self._given = dict(task.args)
        place, digest = self.place(task), self.digest(self.text(self._given))
        if self.check:
            task.async_val = 0  # nothing is done that would take long; with it, check mode fails
            filled_in = BRACED.findall(f"{told(task)} {template(executor)}")
            self._blindly = self.doubtful(filled_in, executor._job_vars, self.blind)
            self._given = told(task) if self._blindly else self._given
            loose = self._blindly or self.doubtful([written(task)], executor._job_vars)
            counted = self.short(task) not in INERT
            self.tell(looked=place, digest=None if loose else digest, counted=counted)
        elif self.approved is not None:
            if not (self.harmless(task) or self._approved(task, place, digest)):
                self.stop(f"{task.get_name()} ({place}) would run, and the approved plan does not hold it so")
            self.tell(ran=place)

    def _fault(self, executor: Any, task: Any) -> str:
        if executor._host.name != self.server:
            return f"runs on {executor._host.name}; the plan is for {self.server} alone"
        if self.check and task.check_mode is False:
            return "check_mode: false would change the server before anybody approved it"
        if task.async_val and not task.poll:
            return "poll: 0 leaves it running, and nobody hears how it ends; state poll"
        return ""

    def _approved(self, task: Any, place: str, digest: str) -> bool:
        assert self.approved is not None
        if place in self.approved["strict"]:
            known = self.approved["looked"].get(place, [])
            return None in known or digest in known
        told = {*self.approved["strict"], *self.approved["free"]}
        above = {self.place(node) for node in chain(task) if hasattr(node, "action")}
        return place in self.approved["looked"] or bool(told & above)

    def after(self, executor: Any, variables: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Take the result of a task, or of one item of its loop."""
        task, place = executor._task, self.place(executor._task)
        if self.stopped:
            return
        if self.check:
            self._foresee(executor, variables, result)
            self._doubt(task, variables, result)
            if self.begun:
                self._handlers(task)
        elif self.approved is not None and result.get("changed") and not result.get("skipped"):
            above = (self.place(node) for node in chain(task) if hasattr(node, "action"))
            foreseen = {*self.approved["changed"], *self.approved["strict"], *self.approved["free"]}
            if not foreseen & {place, *above}:
                self.tell(strange=str(task.get_name())[:200])

    def _foresee(self, executor: Any, variables: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Tell what a result of check mode leaves open."""
        task = executor._task
        if result.get("failed") and not self._given:
            self._given = dict(task.args)
        if result.get("skipped"):
            if result.get("skip_reason") == "Conditional result was False":
                self._condition(executor, variables)
            elif not any(word in str(result.get("msg")) for word in MATCHED):
                self.unforeseen(task, WILL, "check mode cannot tell what it does", self._given)
        elif result.get("failed") or result.get("unreachable"):
            if not self.harmless(task):
                self.unforeseen(task, WILL, "check mode failed here, and the playbook goes on", self._given)
            for block in (node for node in chain(task) if getattr(node, "rescue", None)):
                self._others(block.block, MAY, "check mode did not come to it")
        elif self._blindly and not self.harmless(task):
            self.unforeseen(task, WILL, "what it is told depends on what is done before it", self._given)
            self.tell(restless=str(task._uuid), changed=self.place(task))
        elif result.get("changed"):
            self._changed(task)

    def _changed(self, task: Any) -> None:
        name = self.short(task)
        again = name.removeprefix("role.") in SERVICES and str(self._given.get("state")) in {"restarted", "reloaded"}
        if again or name == "reboot":
            self.unforeseen(task, WILL, "it is done each time", self._given)
            self.tell(restless=str(task._uuid))
        elif hasattr(task, "listen"):
            self.unforeseen(task, MAY, "a handler: it runs when something before it changed", self._given)
        elif name in COMMANDS:
            self.tell(shown=str(task._uuid), text=f"{task.action}: {shortened(self.text(self._given))}")
        self.tell(changed=self.place(task))

    def _condition(self, executor: Any, variables: Mapping[str, Any]) -> None:
        """Tell a task whose condition does not hold in check mode, but may in a run."""
        task = executor._task
        real = {**variables, "ansible_check_mode": False}
        doubtful = self.doubtful(task.when, variables)
        try:
            holds = task._resolve_conditional(task.when, real)
        except Exception:
            doubtful, holds = True, False
        for name in task.args if self.short(task) == "set_fact" and (holds or doubtful) else ():
            self.tell(doubt=str(name), blind=True)
        if not self.harmless(task) and (holds or doubtful):
            why = "its condition depends on what is done before it" if doubtful else "its condition holds in a run only"
            self.unforeseen(task, MAY if doubtful else WILL, why, self._filled_in(executor, real))
            self.tell(looked=self.place(task), digest=None, counted=False)

    def _filled_in(self, executor: Any, variables: Mapping[str, Any]) -> Any:
        """Return a task's arguments with what is known by now; as they are written, where that is not all."""
        from ansible.template import Templar

        task = executor._task
        if self.doubtful([written(task)], variables):
            return task.args
        try:
            filled = Templar(loader=executor._loader, variables=variables).template(task.args)
            return json.loads(json.dumps(filled, default=str))
        except Exception:
            return task.args

    def _others(self, parts: Iterable[Any], kind: str, why: str) -> None:
        for task in flat(parts):
            if not self.harmless(task):
                self.unforeseen(task, kind, why, task.args, seen=False)

    def _doubt(self, task: Any, variables: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Tell which names hold another value in a run."""
        facts = result.get("ansible_facts") if self.short(task) not in FACTS else None
        names = set(facts) if isinstance(facts, dict) else set()
        words = WORD.findall(written(task))
        blind = self._open == task._uuid or self.doubtful(words, variables, self.blind)
        if self.begun or blind or (names and self.doubtful(words, variables)):
            for name in names | ({task.register} if task.register else set()):
                self.tell(doubt=str(name), blind=blind)

    def _handlers(self, task: Any) -> None:
        """Tell the handlers that a task may notify in a run."""
        plays = [node._play for node in chain(task) if getattr(node, "_play", None)]
        for play in plays[:1] if task.notify else ():
            for handler in flat(play.handlers):
                names = {str(handler.name), str(handler.get_name()), *map(str, handler.listen or ())}
                if names & set(map(str, task.notify)) or "{{" in str(handler.name):
                    self._others([handler], MAY, "a handler: it runs when something before it changed")

    def ended(self, executor: Any, result: Mapping[str, Any]) -> None:
        """Take the result of a task as a whole: a list that is empty now may not be so in a run."""
        task = executor._task
        if not self.check or self.stopped or result.get("skipped_reason") != "No items in the list":
            return
        if self.doubtful([written(task)], executor._job_vars) and not self.harmless(task):
            self.unforeseen(task, MAY, "its list depends on what is done before it", task.args)

    def queued(self, task: Any) -> None:
        """Answer, in the parent, for a task that is handed to a child."""
        from ansible.errors import AnsibleError

        self.catch_up()
        if self.stopped:
            raise AnsibleError(f"stopped: {self.stopped}")
        for block in chain(task) if self.check else ():
            if getattr(block, "rescue", None) and block._uuid not in self._rescues:
                self._rescues.add(block._uuid)
                self._others(block.rescue, IF_FAILED, "only if a task before it fails")

    def play(self, play: Any, inventory: Any) -> None:
        """Refuse a play that leaves the server out, or is not for it alone."""
        hosts = [host.name for host in inventory.get_hosts(play.hosts)]
        if hosts != [self.server]:
            pattern = play.hosts if isinstance(play.hosts, str) else ",".join(map(str, play.hosts))
            self.stop(f"{play.get_name()}: `hosts: {pattern}` does not match {self.server} alone; write `hosts: all`")


def written(task: Any) -> str:
    """Return how a task is written, without what says nothing of what it does."""
    told = task.get_ds()
    return str({key: value for key, value in told.items() if key not in ASIDE}) if isinstance(told, Mapping) else ""


def told(task: Any) -> dict[str, Any]:
    """Return what a task is told to do, as it is written."""
    words: dict[str, Any] = {}
    for key, value in dict(task.get_ds() or {}).items():
        if key not in task.fattributes:
            words |= value if isinstance(value, Mapping) else {"_raw_params": value}
        elif key in TOLD or key.startswith("with_"):
            words[key] = value
    return words


def template(executor: Any) -> str:
    """Return the text of the template that a task fills in; empty where it is none, or cannot be found."""
    task = executor._task
    if str(task.action).rpartition(".")[2] != "template":
        return ""
    with suppress(Exception):
        found = executor._loader.path_dwim_relative_stack(task.get_search_path(), "templates", task.args["src"])
        return Path(found).read_text(errors="replace")
    return ""


def chain(task: Any) -> Iterator[Any]:
    """Yield a task, and what it stands in: blocks and includes, from the inside."""
    while task is not None:
        yield task
        task = getattr(task, "_parent", None)


def flat(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield the tasks of blocks, of those within them too."""
    for part in parts:
        if hasattr(part, "block"):
            yield from flat([*part.block, *part.rescue, *part.always])
        elif str(part.action).rpartition(".")[2] != "meta":
            yield part


def shortened(text: str) -> str:
    """Return a text that can be shown; what is cut off is signed by its digest."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… (SHA-256 {hashlib.sha256(text.encode(errors='replace')).hexdigest()})"
