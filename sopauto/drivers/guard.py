"""`ansible-playbook` that reads, starts and calls nothing but what belongs to the run.

A program of its own (nothing of sopauto is imported):

    python -I -S guard.py FOLDER SSH_OPTIONS LIBRARIES NAME ARGUMENT…

Python itself tells of each file that is opened, each program that is started and each connection that is made, also by
plugins, before it happens. Allowed are the run's own folder, Python's library and LIBRARIES, a few files of the
operating system, and OpenSSH's programs with exactly the options that pin the server's host key. All else is refused,
and written to `FOLDER/refused`: a run that asked for it has failed, also when Ansible passed over it.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any, Final

SYSTEM: Final = ("/usr/share/zoneinfo/", "/usr/lib/locale/", "/usr/lib/os-release", "/etc/localtime", "/etc/os-release")
DEVICES: Final = ("/dev/null", "/dev/tty", "/dev/urandom", "/dev/random", "/dev/ptmx", "/dev/pts/", "/dev/fd/")
SSH: Final = ("ssh", "scp", "sftp")
SSH_FLAGS: Final = ("-C", "-q", "-r", "-t", "-tt", "-v", "-vv", "-vvv", "-vvvv")
SSH_WITH_VALUE: Final = ("-O", "-P", "-i", "-p")
SSH_OPTIONS: Final = frozenset(
    [
        "batchmode",
        "compression",
        "connecttimeout",
        "controlmaster",
        "controlpath",
        "controlpersist",
        "globalknownhostsfile",
        "identitiesonly",
        "identityfile",
        "kbdinteractiveauthentication",
        "numberofpasswordprompts",
        "passwordauthentication",
        "port",
        "preferredauthentications",
        "serveralivecountmax",
        "serveraliveinterval",
        "stricthostkeychecking",
        "user",
        "userknownhostsfile",
    ]
)
"""All that a login needs; others let OpenSSH start programs on this machine, or speak through another one."""
CHANGING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LISTED: Final = ("os.listdir", "os.scandir", "glob.glob")
MOVED: Final = {
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.remove": (0,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (1,),
}
"""Events that change files, and which of their arguments are paths."""
STARTED: Final = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")


class RefusedError(PermissionError):
    """What was asked for is no part of what was approved."""


class Guard:
    """Answers the events of Python's audit. `ssh` are the options that each call of OpenSSH must begin with."""

    def __init__(self, folder: Path, ssh: list[str]) -> None:
        self._folder = f"{os.path.realpath(folder)}/"
        self._ssh = ssh
        self._libraries = tuple(f"{os.path.realpath(path)}/" for path in sys.path)
        self._told = os.open(folder / "refused", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._rules: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._opened,
            "subprocess.Popen": self._program,
            "socket.connect": self._connected,
            "socket.sendto": self._connected,
            **dict.fromkeys(STARTED, self._started),
            **dict.fromkeys(LISTED, self._listed),
        }

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an event; raises RefusedError."""
        rule = self._rules.get(event)
        if rule is not None:
            rule(arguments)
        elif event in MOVED:
            for index in MOVED[event]:
                self._within(arguments[index], "changes")

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        path, mode, flags = arguments
        if isinstance(path, int):
            return
        if (flags or 0) & CHANGING or (mode and set(mode) & set("wax+")):
            self._within(path, "writes")
        else:
            self._readable(path)

    def _listed(self, arguments: tuple[Any, ...]) -> None:
        if arguments[0] is not None and not isinstance(arguments[0], int):
            self._readable(arguments[0])

    def _readable(self, path: Any) -> None:
        real = self._real(path)
        if not f"{real}/".startswith((self._folder, *self._libraries)) and not real.startswith((*SYSTEM, *DEVICES)):
            self._refuse("reads", path)

    def _within(self, path: Any, verb: str) -> None:
        if not isinstance(path, int) and not f"{self._real(path)}/".startswith((self._folder, *DEVICES)):
            self._refuse(verb, path)

    @staticmethod
    def _real(path: Any) -> str:
        return os.path.realpath(os.fsdecode(path))

    def _program(self, arguments: tuple[Any, ...]) -> None:
        """Allow OpenSSH with the run's own options first: of an option that stands twice, the first one counts."""
        given = arguments[1]
        words = [os.fsdecode(given)] if isinstance(given, str | bytes) else [os.fsdecode(word) for word in given]
        program = os.fsdecode(arguments[0] or words[0])
        options = words[3:] if words[1:3] == ["-b", "-"] else words[1:]
        # The last is how Ansible asks whether this ssh can share connections.
        if not (program in SSH and words[0] == program):
            self._refuse("starts", " ".join([program, *words[1:]])[:200])
        if options == ["-o", "ControlPersist"]:
            return
        odd = self._odd(program, options[len(self._ssh) :])
        if options[: len(self._ssh)] != self._ssh or odd:
            self._refuse("starts", f"{program} {odd or ' '.join(options)}"[:200])

    def _odd(self, program: str, options: list[str]) -> str:
        """Return what does more than log in; ssh reads options behind the server's name too."""
        ahead, names = iter(options), 0
        for word in ahead:
            if not word.startswith("-"):
                names += 1
                if names > 1 and program == "ssh":  # the command for the server
                    break
            elif word in SSH_WITH_VALUE:
                next(ahead, "")
            elif word not in SSH_FLAGS:
                option = word if word.startswith("-o") and word != "-o" else f"{word} {next(ahead, '')}"
                if not self._allowed(option):
                    return option
        return ""

    def _allowed(self, option: str) -> bool:
        """Tell whether an option is one that a login needs; a shared connection is one of this run's own."""
        name, _, value = option[2:].strip().replace("=", " ", 1).partition(" ")
        path = value.strip(' "')
        own = path == "none" or self._real(path).startswith(self._folder)
        known = option.startswith("-o") and name.lower() in SSH_OPTIONS
        return option == "-F none" or (known and (name.lower() != "controlpath" or own))

    def _connected(self, arguments: tuple[Any, ...]) -> None:
        if isinstance(arguments[1], tuple):
            self._refuse("connects to", str(arguments[1][:2]))

    def _started(self, arguments: tuple[Any, ...]) -> None:
        self._refuse("starts", str(arguments[0])[:200])

    def _refuse(self, verb: str, what: Any) -> None:
        told = f"{verb} {os.fsdecode(what)}"
        os.write(self._told, f"{told}\n".encode(errors="replace"))
        raise RefusedError(f"{told}, which is no part of what was approved")


def main(folder: str, options: str, libraries: str, arguments: list[str]) -> None:
    """Become `ansible-playbook`. No `site` is loaded: nothing that an installation or a home adds to Python."""
    sys.path += libraries.split(os.pathsep)
    sys.dont_write_bytecode = True
    from ansible.cli.playbook import PlaybookCLI

    os.environ.pop("SOPAUTO_HOME", None)
    sys.argv = arguments
    run_path(str(Path(__file__).with_name("watch_hooks.py")))["install"](Path(folder))
    sys.addaudithook(Guard(Path(folder), shlex.split(options)).hear)
    PlaybookCLI.cli_executor(sys.argv)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
