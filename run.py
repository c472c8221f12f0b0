#!/usr/bin/env python3
"""Set up, build, serve and test Parc Fermé with one command; needs nothing but Python 3.11 or newer.

``python3 run.py`` makes an environment of its own (``.venv``, or the folder in ``PARCFERME_VENV``), installs
the pinned requirements into it when they changed, asks ``python -m jobs build`` for the warehouse, the models
and the forecasts, and serves the pages. What to build from is decided there, not here: the variables are
passed on, with relative paths made absolute, because the work is done in the folder of this file.

This file uses the standard library only and parses on old interpreters, so that it can say what is wrong.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the very people this answers have an older one
    sys.exit(
        f"Parc Fermé needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}"
        f" ({sys.executable}).\n"
        "Install a newer one (Debian 12, Ubuntu 24.04 and Fedora bring it) and start it by name,\n"
        "for example: python3.12 run.py"
    )

import argparse
import contextlib
import hashlib
import http.client
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent
RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
STAMPS = {RUNTIME: ".parcferme-runtime", DEVELOPMENT: ".parcferme-development"}
OURS = ".parcferme-environment"  # lies in every environment made here: only such a one may be remade
SERVER = "server.py"  # pages and API in one process
DEFAULT_PORT = 8501
PORTS_TRIED = 50
START_TIMEOUT_S = 90.0
GRACE_S = (6.0, 2.0)  # for children to end after the first signal, and after SIGTERM; then they are killed
POLL_S = 0.05
JOBS_AGAIN_S = 60.0  # a scheduler that broke down is started again after this long
ANOTHER_RUNNER = 6  # exit status of a scheduler that found another one at work
MARK = "PARCFERME_RUN"
PATH_VARIABLES = ("PARCFERME_ARCHIVE", "PARCFERME_DATA")

EXAMPLES = """\
examples:
  python3 run.py                          set up, build and serve; later starts skip what is done
  python3 run.py --port 9000              the same on a port of your choice
  python3 run.py --no-jobs                the same without the scheduler that fetches, seals and settles
  python3 run.py serve --host 0.0.0.0     serve only (no scheduler), reachable from other machines
  python3 run.py build                    set up and build, then stop
  python3 run.py test                     ruff, mypy, import-linter, then every test
  python3 run.py test -k resolver -x      arguments after "test" go to pytest, and only pytest runs

The scheduler of `python3 run.py` can also be run by itself: python -m jobs run

environment:
  PARCFERME_ARCHIVE        where the facts are: a folder or URL (otherwise ../shared/f1-archive is tried)
  PARCFERME_DATA           where run-time data go (otherwise data/ beside this file)
  PARCFERME_VENV           the environment to use (otherwise .venv beside this file)
  PARCFERME_TEST_WORKERS   processes that run the tests (otherwise 2; 0 runs them one after another)

Ctrl-C ends everything that was started. Exit status: 0 done, 1 failed, 2 wrong arguments or port taken,
130 after Ctrl-C, 143 after SIGTERM; otherwise that of the step that failed.
"""


class Problem(Exception):
    """Something the reader can put right; the text says how. Ends the program with ``code``."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Stopped(Exception):
    """We were told to stop (Ctrl-C, SIGTERM, the terminal was closed)."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.code = 128 + signal_number


def say(text: str) -> None:
    """Print one message at once, also into a pipe."""
    print(text, flush=True)


# --- children -----------------------------------------------------------------------------------------------


class Children:
    """Everything started here, so that all of it can be ended.

    Each child leads a process group of its own, which is signalled as a whole. A grandchild may leave that
    group (a browser does), so every descendant also inherits a mark in its environment to be found by.
    """

    def __init__(self) -> None:
        inherited = os.environ.get(MARK)
        self.mark = (inherited + ":" if inherited else "") + f"{os.getpid()}-{time.time_ns()}"
        self.signal_received = 0
        self.in_a_hurry = False
        self._running: list[subprocess.Popen[str]] = []

    def listen(self) -> None:
        """Take over Ctrl-C, SIGTERM and SIGHUP. The handler only takes a note; every wait looks at it."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.in_a_hurry = bool(self.signal_received)  # a second Ctrl-C means: now
        self.signal_received = self.signal_received or number

    def check(self) -> None:
        """Raise Stopped when we were told to stop."""
        if self.signal_received:
            raise Stopped(self.signal_received)

    def start(self, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[str]":
        """Start ``command`` in the folder of this file; ``options`` go to subprocess.Popen."""
        self.check()
        if os.name == "nt":
            options["creationflags"] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        else:
            options["start_new_session"] = True
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=child_environment() | {MARK: self.mark},
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            **options,
        )
        self._running.append(process)
        return process

    def wait(self, process: "subprocess.Popen[str]", meanwhile: Callable[[], None] | None = None) -> int:
        """Wait for a child and return its exit status as a shell would; what it left behind is ended too."""
        while process.poll() is None:
            self.check()
            if meanwhile:
                meanwhile()
            time.sleep(POLL_S)
        self._running.remove(process)
        self._signal_group(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        code = int(process.returncode)
        return 128 - code if code < 0 else code

    def run(self, command: Sequence[str | Path], **options: Any) -> int:
        """Start a child and wait for it."""
        return self.wait(self.start(command, **options))

    def end_all(self) -> None:
        """Ask every descendant to end; kill what is still there after a while."""
        first = self.signal_received or signal.SIGTERM
        if first == getattr(signal, "SIGHUP", None):
            first = signal.SIGTERM
        for number, patience_s in zip((first, signal.SIGTERM), GRACE_S, strict=True):
            self._signal_everything(number)
            deadline = time.monotonic() + patience_s
            while self._anything_alive():
                if self.in_a_hurry or time.monotonic() > deadline:
                    break
                time.sleep(POLL_S)
            else:
                break
        for _ in range(20):  # more than once: something may have been started in between
            self._signal_everything(getattr(signal, "SIGKILL", signal.SIGTERM))
            if not self._anything_alive():
                break
            time.sleep(POLL_S)
        self._running.clear()

    def _anything_alive(self) -> bool:
        return any([process.poll() is None for process in self._running]) or bool(self._marked())

    def _signal_everything(self, number: int) -> None:
        groups = {process.pid for process in self._running}
        for pid in groups:
            self._signal_group(pid, number)
        for pid in self._marked():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) not in groups:  # those inside have had it: a second one would hurry them
                    os.kill(pid, number)

    @staticmethod
    def _signal_group(pid: int, number: int) -> None:
        if os.name == "nt":
            subprocess.run(["taskkill", "/PID", str(pid), "/T", "/F"], capture_output=True, check=False)
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)

    def _marked(self) -> list[int]:
        """Descendants that live, in whatever group and session they are (Linux; elsewhere none are found)."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found


def child_environment() -> dict[str, str]:
    """The environment as it is, with relative paths made absolute and output that is not held back."""
    environment = dict(os.environ)
    for name in PATH_VARIABLES:
        value = environment.get(name, "")
        if value and "://" not in value:
            environment[name] = os.path.abspath(os.path.expanduser(value))
    environment.setdefault("PYTHONUNBUFFERED", "1")
    environment.setdefault("PYTHONUTF8", "1")
    environment.pop("PYTHONHOME", None)
    return environment


# --- the environment ----------------------------------------------------------------------------------------


def venv_folder() -> Path:
    """The environment's folder: PARCFERME_VENV, else .venv beside this file."""
    chosen = os.environ.get("PARCFERME_VENV")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else ROOT / ".venv"


def venv_python(venv: Path) -> Path:
    """The interpreter inside an environment (not resolved: the link itself is what makes it one)."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirement_files(name: str) -> list[Path]:
    """A requirements file and every file it includes with ``-r``, in order."""
    path = ROOT / name
    if not path.is_file():
        raise Problem(f"{path} is missing: this checkout is incomplete. Fetch it again: git checkout {name}")
    files = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            files += requirement_files(line[3:].strip())
    return [*files, path]


def fingerprint(name: str) -> str:
    """SHA-256 over the requirements file ``name`` and those it includes; the stamp of an installation."""
    digest = hashlib.sha256()
    for path in requirement_files(name):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_installed(venv: Path, name: str) -> bool:
    """Whether exactly these pins were installed completely, by us, in this environment."""
    try:
        return (venv / STAMPS[name]).read_text(encoding="utf-8").strip() == fingerprint(name)
    except OSError:
        return False


def stamp(venv: Path, name: str) -> None:
    """Record that ``name`` is installed completely; appears whole or not at all."""
    target = venv / STAMPS[name]
    temporary = target.with_name(target.name + ".new")
    temporary.write_text(fingerprint(name) + "\n", encoding="utf-8")
    os.replace(temporary, target)


def venv_version(venv: Path) -> tuple[int, int] | None:
    """The (major, minor) version of the environment's Python; None when it does not run."""
    try:
        answer = subprocess.run(
            [venv_python(venv), "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        major, minor = answer.stdout.split()
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@contextlib.contextmanager
def sole_installer(venv: Path, children: Children) -> Iterator[None]:
    """Let one run.py at a time change the environment (an OS lock: it ends with its holder)."""
    if os.name == "nt":
        yield
        return
    import fcntl  # not on Windows

    path = venv.with_name(venv.name + ".lock")
    with path.open("a") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("Another run.py is installing; waiting for it …")
                    told = True
                children.check()
                time.sleep(0.2)
        yield


def prepare(children: Children, name: str = RUNTIME) -> Path:
    """Make the environment and install the pins of ``name`` where that is not done; return its Python."""
    venv = venv_folder()
    requirement_files(name)
    version = venv_version(venv)
    if version is not None and version >= (3, 11) and is_installed(venv, name):
        return venv_python(venv)
    try:
        venv.parent.mkdir(parents=True, exist_ok=True)
        with sole_installer(venv, children):
            make_venv(children, venv)
            if not is_installed(venv, name):  # the one we waited for may have done it
                install(children, venv, name)
    except OSError as error:
        raise Problem(
            f"The environment in {venv} cannot be written: {error}.\n"
            "Free some space, correct the folder's rights, or point PARCFERME_VENV to another folder."
        ) from error
    return venv_python(venv)


def make_venv(children: Children, venv: Path) -> None:
    """Make the environment where there is none; remake one of ours that is broken or was left half made."""
    version = venv_version(venv)
    if version is not None and version < (3, 11):
        raise Problem(
            f"The environment in {venv} is of Python {version[0]}.{version[1]}; 3.11 or newer is needed.\n"
            "Delete that folder, or point PARCFERME_VENV to another one."
        )
    # An environment without pip may be half made, or another tool's: it is completed, not wiped.
    for module, option in (("pip", "--version"), ("ensurepip", "--default-pip")) if version else ():
        if children.run([venv_python(venv), "-m", module, option], **silent()) == 0:
            return
    if venv.exists() and any(venv.iterdir()) and not (venv / OURS).exists() and venv != ROOT / ".venv":
        what = "has no pip" if version else "is not an environment that runs"
        raise Problem(
            f"{venv} (from PARCFERME_VENV) {what}, and run.py did not make it, so it is left alone.\n"
            "Name an empty or new folder in PARCFERME_VENV, or unset it to use .venv."
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Problem(
            "This Python cannot make environments: its modules venv and ensurepip are missing.\n"
            "Debian and Ubuntu keep them in a package of their own:\n"
            f"    sudo apt install python3-venv        (or python3.{sys.version_info[1]}-venv)\n"
            "Then start run.py again. Or point PARCFERME_VENV to an environment that has pip."
        )
    say(f"Making an environment in {venv} …")
    if venv.exists():
        shutil.rmtree(venv)
    venv.mkdir(parents=True)
    (venv / OURS).write_text("Made by run.py; may be deleted, it is made again.\n", encoding="utf-8")
    code = children.run([sys.executable, "-m", "venv", venv])
    if code:
        raise Problem(
            f"Making the environment failed (exit status {code}; its words are above).\n"
            f"On Debian and Ubuntu: sudo apt install python3.{sys.version_info[1]}-venv; then start again."
        )


def silent() -> dict[str, Any]:
    """Popen options of a child whose output nobody needs."""
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def install(children: Children, venv: Path, name: str) -> None:
    """Install the pins of ``name``. The stamp goes first and comes back last, so a break-off is repaired."""
    for stale in STAMPS.values():
        (venv / stale).unlink(missing_ok=True)
    total = count_pins(name)
    say(f"Installing {total} pinned packages for {'the tests' if name == DEVELOPMENT else 'the product'} …")
    started = time.monotonic()
    log = venv / "parcferme-install.log"
    lines: list[str] = []
    pip: list[str | Path] = [venv_python(venv), "-m", "pip", "install", "-r", ROOT / name]
    pip += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    process = children.start(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    reader = threading.Thread(target=follow_pip, args=(process, total, lines), daemon=True)
    reader.start()
    code = children.wait(process)
    reader.join(timeout=10)
    log.write_text("".join(lines), encoding="utf-8")
    if code:
        raise Problem(explain_pip(code, lines, log))
    if name == DEVELOPMENT:
        stamp(venv, RUNTIME)  # it is part of the development set
    stamp(venv, name)
    say(f"Packages are ready ({time.monotonic() - started:.0f} s).")


def count_pins(name: str) -> int:
    """How many packages ``name`` and the files it includes pin for this platform."""
    pins = 0
    for path in requirement_files(name):
        for line in path.read_text(encoding="utf-8").splitlines():
            pin, _, marker = line.partition("#")[0].partition(";")
            wanted = re.search(r'sys_platform\s*(==|!=)\s*"(\w+)"', marker)
            here = wanted is None or (wanted[2] == sys.platform) == (wanted[1] == "==")
            pins += "==" in pin and here
    return pins


def follow_pip(process: "subprocess.Popen[str]", total: int, lines: list[str]) -> None:
    """Turn pip's output into a count in plain words; keep every line in ``lines``."""
    assert process.stdout is not None
    on_terminal = sys.stdout.isatty()
    names: set[str] = set()
    for line in process.stdout:
        lines.append(line)
        seen = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.\-]+)==", line)
        if seen and seen[1].lower() not in names:
            names.add(seen[1].lower())
            text = f"  {len(names)} of {total} found: {seen[1]}"
            if on_terminal:
                print(f"\r{text:<60}", end="", flush=True)
            elif len(names) % 20 == 0:
                say(text)
        elif line.startswith("Installing collected packages"):
            text = "  all found; unpacking them (usually under a minute) …"
            say(f"\r{text:<60}" if on_terminal else text)


def explain_pip(code: int, lines: list[str], log: Path) -> str:
    """Say in plain words why pip failed and what is needed."""
    text = "".join(lines)
    if "No space left on device" in text:
        why = "The disk is full: about 1.5 GB are needed."
    elif re.search(r"ConnectionError|name resolution|Max retries|timed out|unreachable|versions: none", text):
        why = (
            "The package index cannot be reached or lacks this package. Needed once is one of these:\n"
            "  - a connection to the internet (behind a proxy: set HTTPS_PROXY),\n"
            "  - a mirror: set PIP_INDEX_URL to it,\n"
            "  - a folder of wheels: set PIP_NO_INDEX=1 and PIP_FIND_LINKS=/that/folder."
        )
    elif re.search(r"No matching distribution|Could not find a version", text):
        why = (
            "The package source has no such version for this Python and system "
            f"({sys.version_info[0]}.{sys.version_info[1]}, {sys.platform})."
        )
    else:
        why = "pip gave up; its last words are above."
    tail = textwrap.indent("".join(lines[-8:]).rstrip() or "(pip said nothing)", "    ")
    return (
        f"Installing failed (pip's exit status {code}).\n{tail}\n{why}\n"
        f"The full record: {log}. Start run.py again afterwards: it goes on from here."
    )


# --- serving ------------------------------------------------------------------------------------------------


def local_address(host: str) -> str:
    """The address under which this machine reaches a server bound to ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could be bound to ``host`` and ``port`` now.

    Raises:
        Problem: ``host`` is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise Problem(f"--host {host} is not an address: {error}. Try 127.0.0.1 or 0.0.0.0.", 2) from error
    with socket.socket(family, kind, protocol) as probe:
        probe.settimeout(1)
        # Some systems let us bind beside a server on all addresses: ask first whether anybody answers.
        if probe.connect_ex((local_address(host), port)) == 0:
            return False
    with socket.socket(family, kind, protocol) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Problem(f"Port {port} needs administrator's rights. Use one above 1023.", 2) from error
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno in {99, 49}:  # EADDRNOTAVAIL: Linux, macOS
                raise Problem(f"--host {host} is not an address of this machine.", 2) from error
            return False
    return True


def choose_port(host: str, wanted: int | None, after: int = 0) -> int:
    """The port to serve on: ``wanted`` or nothing; else the first free one from 8501 (and above ``after``).

    Raises:
        Problem: the wanted port, or every port in reach, is taken.
    """
    if wanted is not None:
        if port_is_free(host, wanted):
            return wanted
        raise Problem(
            f"Port {wanted} is taken by another program. Choose another one with --port, "
            "or leave --port out and a free one is found.",
            2,
        )
    first = max(DEFAULT_PORT, after + 1)
    for port in range(first, DEFAULT_PORT + PORTS_TRIED):
        if port_is_free(host, port):
            if port != DEFAULT_PORT:
                say(f"Port {port - 1 if after else DEFAULT_PORT} is taken by another program; using {port}.")
            return port
    raise Problem(
        f"Every port from {first} to {DEFAULT_PORT + PORTS_TRIED - 1} is taken. Choose one with --port.", 2
    )


def is_healthy(host: str, port: int) -> bool:
    """Whether the app's server answers its health check."""
    connection = http.client.HTTPConnection(local_address(host), port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Jobs:
    """The scheduler beside the server: started with it, started again when it broke down, ended with it."""

    def __init__(self, children: Children, python: Path) -> None:
        self.children = children
        self.python = python
        self.process: subprocess.Popen[str] | None = None
        self.start_at: float | None = time.monotonic()
        self.has_said_so = False

    def look(self) -> None:
        """Start it when its time has come; say so when it has ended."""
        if self.process is not None and self.process.poll() is not None:
            code = self.children.wait(self.process)
            self.process = None
            if code == 0:
                say("The pages are served; the scheduler of this start has ended (its words are above).")
            elif code == ANOTHER_RUNNER:
                # Whoever is at work may stop one day: this start then takes over.
                self.start_at = time.monotonic() + JOBS_AGAIN_S
                if not self.has_said_so:
                    say("Another scheduler is at work on these data; this start takes over when it stops.")
                self.has_said_so = True
            else:
                say(f"The scheduler ended by itself (exit status {code}); it is started again in a minute.")
                self.start_at = time.monotonic() + JOBS_AGAIN_S
        if self.start_at is not None and time.monotonic() >= self.start_at:
            self.start_at = None
            self.process = self.children.start([self.python, "-m", "jobs", "run"])


def serve(children: Children, host: str, wanted: int | None, *, with_jobs: bool = False) -> int:
    """Serve the pages and the API until told to stop; return the server's exit status when it ends by itself.

    With ``with_jobs`` the scheduler runs beside it as a process of its own; the pages do without it when it ends.
    """
    for name in (SERVER, "streamlit_app.py"):
        if not (ROOT / name).is_file():
            raise Problem(f"{ROOT / name} is missing: this checkout is incomplete.")
    python = prepare(children)
    port = choose_port(host, wanted)
    jobs = Jobs(children, python) if with_jobs else None
    while True:
        started = time.monotonic()
        say("Starting the server …")
        command: list[str | Path] = [python, "-m", "streamlit", "run", SERVER]
        command += ["--server.address", host, "--server.port", str(port), "--server.headless", "true"]
        server = children.start([*command, "--browser.gatherUsageStats", "false"])
        while server.poll() is None and not is_healthy(host, port):
            if time.monotonic() - started > START_TIMEOUT_S:
                raise Problem(f"The server did not answer within {START_TIMEOUT_S:.0f} s; it was ended.")
            children.check()
            time.sleep(0.1)
        if server.poll() is None:
            name = (
                "localhost"
                if host in ("127.0.0.1", "0.0.0.0", "::")
                else f"[{host}]"
                if ":" in host
                else host
            )
            say(f"\nParc Fermé is ready: http://{name}:{port}   (Ctrl-C ends it)")
            say(f"JSON for programs:    http://{name}:{port}/api/docs\n")
        code = children.wait(server, jobs.look if jobs else None)
        # Two starts at the same moment can agree on one port; the one that lost it takes the next.
        lost_the_race = code != 0 and time.monotonic() - started < 30 and not port_is_free(host, port)
        if wanted is None and lost_the_race:
            port = choose_port(host, None, after=port)
            continue
        if code:
            say(f"The server ended by itself (exit status {code}); its words are above.")
        return code


# --- building and testing -----------------------------------------------------------------------------------


def build(children: Children) -> int:
    """Have the warehouse, the models and the forecasts made; return the exit status."""
    python = prepare(children)
    say("Building: facts, features, models, forecasts …")
    code = children.run([python, "-m", "jobs", "build"])
    if code:
        say(f"The build did not finish (exit status {code}, see above). What was built before is kept.")
    return code


def run_tests(children: Children, pytest_arguments: Sequence[str]) -> int:
    """Run the checks and the tests; return the exit status of the first that failed.

    With arguments only pytest runs, with exactly those; without, every check and every test.
    """
    python = prepare(children, DEVELOPMENT)
    workers = os.environ.get("PARCFERME_TEST_WORKERS", "2")
    if not workers.isdigit():
        raise Problem(f"PARCFERME_TEST_WORKERS is {workers!r}; it must be a number, 0 for no extra ones.", 2)
    pytest: list[str | Path] = [python, "-m", "pytest", *pytest_arguments]
    steps: list[tuple[str, list[str | Path]]] = []
    if not pytest_arguments:
        # A whole file stays in one process: files share expensive fixtures.
        # In the order of the folders: the files with the fewest tests are the slowest, and would come last, one worker idle.
        pytest += ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"] if workers != "0" else []
        lint_imports = "from importlinter.cli import lint_imports_command as c; c(prog_name='lint-imports')"
        steps = [
            ("ruff check", [python, "-m", "ruff", "check", "."]),
            ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
            ("mypy", [python, "-m", "mypy"]),
            ("import-linter", [python, "-c", lint_imports]),
        ]
    steps.append(("pytest", pytest))
    verdicts: list[str] = []
    first_failure = 0
    for name, command in steps:
        if len(steps) > 1:
            say(f"\n--- {name}")
        started = time.monotonic()
        code = children.run(command)
        verdict = f"FAILED ({code})" if code else "ok"
        verdicts.append(f"{name} {verdict} {time.monotonic() - started:.1f} s")
        first_failure = first_failure or code
    say(f"\nrun.py test: {' · '.join(verdicts)} · exit status {first_failure}")
    return first_failure


# --- command line -------------------------------------------------------------------------------------------


def port_number(text: str) -> int:
    """Read --port."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 1 to 65535 is needed")
    return int(text)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what follows ``test`` is pytest's."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Parc Fermé: Formula 1 forecasts. Without a command: set up, build and serve.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=["build", "serve", "test"], help="do only this")
    parser.add_argument(
        "--port", type=port_number, help=f"serve here (otherwise {DEFAULT_PORT} or the next free)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="serve on this address (otherwise 127.0.0.1)")
    parser.add_argument(
        "--no-jobs", action="store_true", help="without the scheduler that fetches, seals and settles"
    )
    own, for_pytest = list(arguments), []
    if "test" in own:
        cut = own.index("test") + 1
        own, for_pytest = own[:cut], own[cut:]
        if for_pytest in (["-h"], ["--help"]):
            own, for_pytest = ["--help"], []
    options = parser.parse_args(own)
    options.pytest_arguments = for_pytest
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # "é" must not stop us on an old console
    options = parse(sys.argv[1:] if arguments is None else arguments)
    children = Children()
    children.listen()
    try:
        if options.command == "test":
            return run_tests(children, options.pytest_arguments)
        if options.command != "serve":
            if options.command is None and options.port is not None:
                choose_port(options.host, options.port)  # say so before minutes of building
            code = build(children)
            if code or options.command == "build":
                return code
        with_jobs = options.command is None and not options.no_jobs
        return serve(children, options.host, options.port, with_jobs=with_jobs)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return problem.code
    except Stopped as stopped:
        say("\nStopping …")
        children.end_all()
        say("Stopped; everything that was started has ended.")
        return stopped.code
    finally:
        children.end_all()


if __name__ == "__main__":
    sys.exit(main())
