"""The folder of one run of a playbook: approved files, configuration and surroundings, all made from nothing.

Nothing of whoever starts a run reaches it: no variable, no file of a home, no folder of Ansible's own. A folder that a
killed run left behind goes when the next run begins: each living run holds a lock in its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

PREFIX: Final = "sop-"
LONGEST_PLACE: Final = 40
OWNER: Final = "owner"
"""The file that a living run, and what it started, hold a lock on."""
KEEPER: Final = Path(__file__).with_name("keeper.py")
GUARD: Final = Path(__file__).with_name("guard.py")
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON: Final = ("SSH_AUTH_SOCK", "SOPAUTO_HOME")
"""Of the caller's variables: the agent that may hold the login's key; and, for `ps e`, whose run this is."""
PLUGINS: Final = (
    "action",
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "filter",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "strategy",
    "terminal",
    "test",
    "vars",
)
CONFIGURATION: Final = """\
[defaults]
{plugins}
doc_fragment_plugins = {nothing}
library = {nothing}
module_utils = {nothing}
roles_path = {folder}/project/roles
collections_path = {folder}/project/collections
collections_scan_sys_path = false
inventory = {folder}/inventory
local_tmp = {folder}/tmp
home = {folder}/home/.ansible
host_key_checking = true
nocolor = true
nocows = true
pipelining = true
retry_files_enabled = false
timeout = 30
# Nobody sits at the terminal.
enable_task_debugger = false
"""


@contextmanager
def run_folder(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Make a run's folder with these files below `project/`; it is removed at the end.

    The files' modes and the folder's are the same whatever the caller's umask.
    """
    parent = place()
    remove_left_behind(parent)
    before = os.umask(0o077)
    try:
        folder = Path(mkdtemp(prefix=PREFIX, dir=parent))
        lock = _claim(folder)
        try:
            _write(folder, files)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    finally:
        os.umask(before)


def place() -> Path:
    """Return where the folders of runs are: the caller's choice, unless it is too long for OpenSSH's sockets in it."""
    chosen = Path(gettempdir())
    return chosen if len(str(chosen)) <= LONGEST_PLACE else Path("/tmp")  # noqa: S108 - the folders are nobody else's


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of runs that were killed: those whose lock nobody holds any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid != os.geteuid() or folder.is_symlink():
                continue
            lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _claim(folder: Path) -> int:
    """Put the lock into the folder, held from its first moment; return its descriptor."""
    made = folder / f"{OWNER}.new"
    lock = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    made.rename(folder / OWNER)
    return lock


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / "project" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        # A module that keeps the mode of what it copies finds the same one each time.
        target.chmod(0o644)
    for name in ("home", "inventory", "tmp", "project"):
        (folder / name).mkdir(exist_ok=True)
    plugins = "\n".join(f"{name}_plugins = {folder}/nothing" for name in PLUGINS)
    text = CONFIGURATION.format(folder=folder, nothing=folder / "nothing", plugins=plugins)
    (folder / "ansible.cfg").write_text(text)


def ssh_options(folder: Path) -> str:
    """Return the options with which each login begins: nobody's configuration, and the pinned host key alone."""
    return (
        f"-F none -o UserKnownHostsFile={folder}/known_hosts -o GlobalKnownHostsFile=/dev/null "
        "-o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    )


def program(folder: Path) -> list[str]:
    """Return the command that is `ansible-playbook`, guarded, with a keeper between it and us."""
    import ansible_runner

    # Not what our own `sys.path` holds beside them: whoever starts us may add to it.
    paths = (
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        str(Path(ansible_runner.__file__).parents[1]),
    )
    libraries = os.pathsep.join(dict.fromkeys(paths))
    python = [sys.executable, "-I", "-S"]
    return [*python, str(KEEPER), *python, str(GUARD), str(folder), ssh_options(folder), libraries, "ansible-playbook"]


def environment(folder: Path, zone: str) -> dict[str, str]:
    """Return the whole environment of `ansible-playbook`."""
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "PATH": PATH,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "TZ": zone,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "SOPAUTO_KEEPER_PID": str(folder / "keeper.pid"),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home" / ".ansible"),
        # One login for all tasks. The keeper ends it, so that it does not outlive the playbook; a line that is cut ends
        # it after a minute, where TCP would wait for a quarter of an hour.
        "ANSIBLE_SSH_ARGS": (
            f"{ssh_options(folder)} -o ControlMaster=auto -o ControlPersist=60 -o ControlPath={folder}/%C "
            "-o ServerAliveInterval=15 -o ServerAliveCountMax=4"
        ),
    }
