"""run.py as its users meet it.

It runs in a copy of the checkout whose path has blanks, with small stand-ins for the programs it starts (pip,
jobs, streamlit, the checkers). They are real processes, so what is said of exit codes, ports and surviving
children is true of processes.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import psutil
import pytest

import run

REPOSITORY = Path(run.__file__).resolve().parent
posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="detached children are found by /proc"
)

RECORD = """
import json, os, sys
from pathlib import Path
def record(name):
    with open(Path(__file__).parent.parent / "calls.jsonl", "a") as log:
        env = {k: v for k, v in os.environ.items() if k.startswith("PARCFERME_")}
        log.write(json.dumps({"name": name, "args": sys.argv[1:], "cwd": os.getcwd(), "env": env}) + "\\n")
"""

STAND_INS = {
    "pip/__main__.py": """
if "--version" not in sys.argv:
    record("pip")
    print("Collecting example==1.0", flush=True)
    how = os.environ.get("FAKE_PIP")
    if how == "hang":
        import time; Path("pip-hangs").touch(); time.sleep(60)
    if how == "offline":
        print("WARNING: Retrying: NewConnectionError: Temporary failure in name resolution")
        print("ERROR: No matching distribution found for example==1.0")
        sys.exit(1)
""",
    "jobs/__main__.py": """
import signal, subprocess, time
record("jobs")
print("jobs has begun", flush=True)
how = os.environ.get("FAKE_JOBS", "0")
if how == "suicide":
    os.kill(os.getpid(), signal.SIGKILL)
if how in ("family", "stubborn"):
    loop = "import signal, time\\n"
    if how == "stubborn":
        loop += "for s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\\n"
        exec(loop)
    loop += "print('up', flush=True)\\nwhile True: time.sleep(0.1)"
    def child(**more):
        started = subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE, **more)
        started.stdout.readline()
        return started.pid
    pids = [os.getpid(), child()]
    if sys.platform.startswith("linux"):
        pids.append(child(start_new_session=True))
    Path("pids.tmp").write_text(json.dumps(pids))
    os.replace("pids.tmp", "pids.json")
    while True:
        time.sleep(0.1)
if how == "leave":
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path("pids.json").write_text(json.dumps([left.pid]))
    sys.exit(0)
sys.exit(int(how))
""",
    "streamlit/__main__.py": """
import http.server
record("streamlit")
if os.environ.get("FAKE_STREAMLIT"):
    print("the app is broken"); sys.exit(int(os.environ["FAKE_STREAMLIT"]))
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_stcore/health" else 404); self.end_headers()
    def log_message(self, *_): pass
at = lambda option: sys.argv[sys.argv.index(option) + 1]
http.server.HTTPServer((at("--server.address"), int(at("--server.port"))), Health).serve_forever()
""",
    **{
        f"{tool}/__main__.py": f"record('{tool}'); print('== {tool} says =='); "
        f"sys.exit(int(os.environ.get('FAKE_{tool.upper()}', '0')))"
        for tool in ("ruff", "mypy", "pytest")
    },
    "importlinter/cli.py": "def lint_imports_command(prog_name):\n    record('lint-imports'); sys.exit(0)",
}


SCHEDULER = """
import time
record("jobs")
if "run" in sys.argv:
    Path("pids.tmp").write_text(json.dumps([os.getpid()]))
    os.replace("pids.tmp", "pids.json")
    time.sleep(60)
"""


class Checkout:
    """A copy of run.py among stand-ins, with an environment that needs no download."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.elsewhere = folder / "else where"
        self.venv = self.root / ".venv"
        self.elsewhere.mkdir(parents=True)
        for path, text in STAND_INS.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(RECORD + text)
            (self.root / path).with_name("__init__.py").touch()
        shutil.copy(REPOSITORY / "run.py", self.root)
        (self.root / "streamlit_app.py").touch()
        (self.root / "server.py").touch()
        (self.root / "requirements.txt").write_text("example==1.0  # why\n")
        (self.root / "requirements-dev.txt").write_text("-r requirements.txt\nother==2.0\n")
        (self.venv / "bin").mkdir(parents=True)
        base = Path(sys._base_executable)  # type: ignore[attr-defined]
        (self.venv / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
        (self.venv / "bin" / "python").symlink_to(base)

    def start(self, *arguments: str, **environment: str) -> Running:
        return Running(self, arguments, environment)

    def run(self, *arguments: str, **environment: str) -> Running:
        running = self.start(*arguments, **environment)
        running.process.wait(timeout=30)
        return running

    def calls(self, name: str = "") -> list[dict]:
        log = self.root / "calls.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [call for call in map(json.loads, lines) if name in ("", call["name"])]

    def pids(self) -> list[int]:
        wait_for((self.root / "pids.json").exists, "the family of jobs")
        return json.loads((self.root / "pids.json").read_text())


class Running:
    """One start of run.py, from a folder that is not the checkout."""

    def __init__(self, checkout: Checkout, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("PARCFERME_", "FAKE_"))
        }
        self.output = checkout.root / f"output-{time.monotonic_ns()}"
        with self.output.open("w") as sink:
            self.process = subprocess.Popen(
                [sys.executable, checkout.root / "run.py", *arguments],
                cwd=checkout.elsewhere,
                env=clean | {"PYTHONUTF8": "1"} | environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    @property
    def code(self) -> int:
        return self.process.wait(timeout=120)

    def wait_for_text(self, pattern: str) -> re.Match[str]:
        wait_for(lambda: re.search(pattern, self.text) or self.process.poll() is not None, pattern)
        found = re.search(pattern, self.text)
        assert found, f"{pattern!r} did not appear:\n{self.text}"
        return found


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_gone(pids: list[int]) -> None:
    """A killed process may take the kernel a moment to bury; one that was missed stays for good."""
    deadline = time.monotonic() + 1
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, f"survivors: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.01)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    for process in psutil.process_iter():  # a failed test must not leave its children to the next
        try:
            if str(made.root) in " ".join(process.cmdline()) or process.cwd() == str(made.root):
                process.kill()
        except psutil.Error:
            continue


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the file itself ----------------------------------------------------------------------------------------


def test_an_old_python_gets_an_answer_instead_of_a_syntax_error() -> None:
    source = (REPOSITORY / "run.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); runpy.run_path(sys.argv[1])"
    answer = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", pretend, REPOSITORY / "run.py"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.9" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((REPOSITORY / "run.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "0"], "a number from 1 to 65535"),
        (["--port", "http"], "a number from 1 to 65535"),
        (["race"], "invalid choice"),
        (["serve", "--host", "no.such.host.invalid"], "is not an address"),
    ],
)
def test_wrong_arguments_end_with_2_and_say_why(checkout: Checkout, arguments: list[str], words: str) -> None:
    answer = checkout.run(*arguments)
    assert answer.code == 2, answer.text
    assert words in answer.text


def test_help_shows_examples(checkout: Checkout) -> None:
    for arguments in (["--help"], ["test", "--help"]):
        answer = checkout.run(*arguments)
        assert answer.code == 0
        assert "python3 run.py serve --host" in answer.text
    assert checkout.calls() == []


# --- pins ---------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", "-r ")):
            continue
        pin = re.fullmatch(r'([a-z0-9-]+)==([\w.]+)(?: ; sys_platform (==|!=) "(\w+)")? +# \S.*', line)
        assert pin, f"{name}: not an exact pin with its reason: {line}"
        if pin[4] is None or (pin[4] == sys.platform) == (pin[3] == "=="):
            found[pin[1]] = pin[2]
    return found


def test_everything_is_pinned_exactly_and_is_what_runs_here() -> None:
    assert (REPOSITORY / "requirements-dev.txt").read_text().splitlines()[1] == "-r requirements.txt"
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    assert {name: metadata.version(name) for name in pinned} == pinned


def test_nothing_is_installed_that_is_not_pinned() -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    wanted = set()
    for name in pinned:
        for requirement in metadata.requires(name) or []:
            if "extra ==" not in requirement:
                wanted.add(re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-").replace(".", "-"))
    here = {str(found.metadata["Name"]).lower().replace("_", "-") for found in metadata.distributions()}
    assert wanted & here <= set(pinned) | {"setuptools", "pip"}


# --- set-up -------------------------------------------------------------------------------------------------


def test_a_second_start_installs_nothing_and_is_quick(checkout: Checkout) -> None:
    assert checkout.run("build").code == 0
    assert len(checkout.calls("pip")) == 1
    started = time.monotonic()
    again = checkout.run("build")
    assert again.code == 0
    assert time.monotonic() - started < 3
    assert len(checkout.calls("pip")) == 1, again.text
    assert len(checkout.calls("jobs")) == 2


def test_changed_pins_are_installed_again(checkout: Checkout) -> None:
    checkout.run("build")
    (checkout.root / "requirements.txt").write_text("example==1.1  # why\n")
    assert checkout.run("build").code == 0
    assert len(checkout.calls("pip")) == 2


def test_the_development_set_is_for_tests_only_and_contains_the_other(checkout: Checkout) -> None:
    checkout.run("build")
    assert "requirements-dev.txt" not in str(checkout.calls("pip"))
    checkout.run("test")
    assert checkout.calls("pip")[1]["args"][2].endswith("requirements-dev.txt")
    checkout.run("build")
    checkout.run("test")
    assert len(checkout.calls("pip")) == 2


@posix
def test_an_interrupted_installation_is_repaired_at_the_next_start(checkout: Checkout) -> None:
    checkout.run("build")
    (checkout.root / "requirements.txt").write_text("example==1.1  # why\n")
    running = checkout.start("build", FAKE_PIP="hang")
    wait_for((checkout.root / "pip-hangs").exists, "pip")
    running.process.send_signal(signal.SIGINT)
    assert running.code == 130
    assert not list(checkout.venv.glob(".parcferme-runtime*"))
    assert len(checkout.calls("jobs")) == 1
    assert checkout.run("build").code == 0
    assert len(checkout.calls("pip")) == 3


def test_without_a_network_it_says_what_is_needed(checkout: Checkout) -> None:
    answer = checkout.run("build", FAKE_PIP="offline")
    assert answer.code == 1
    assert "package index cannot be reached or" in answer.text
    assert "PIP_FIND_LINKS" in answer.text
    assert "Traceback" not in answer.text
    assert checkout.calls("jobs") == []
    assert not (checkout.venv / ".parcferme-runtime").exists()
    assert "NewConnectionError" in (checkout.venv / "parcferme-install.log").read_text()


def test_a_stamp_counts_only_whole(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", checkout.root)
    assert not run.is_installed(checkout.venv, run.RUNTIME)
    run.stamp(checkout.venv, run.RUNTIME)
    assert run.is_installed(checkout.venv, run.RUNTIME)
    assert not run.is_installed(checkout.venv, run.DEVELOPMENT)
    (checkout.venv / run.STAMPS[run.RUNTIME]).write_text(run.fingerprint(run.RUNTIME)[:20])
    assert not run.is_installed(checkout.venv, run.RUNTIME)


def test_a_change_of_the_runtime_pins_changes_the_development_set(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ROOT", checkout.root)
    before = run.fingerprint(run.DEVELOPMENT)
    (checkout.root / "requirements.txt").write_text("example==1.1\n")
    assert run.fingerprint(run.DEVELOPMENT) != before


def test_debian_without_venv_is_told_the_package(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", checkout.root)
    monkeypatch.delenv("PARCFERME_VENV", raising=False)
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    shutil.rmtree(checkout.venv)
    with pytest.raises(run.Problem, match="sudo apt install python3-venv"):
        run.prepare(run.Children())
    assert not checkout.venv.exists()


def test_a_folder_that_is_not_ours_is_left_alone(checkout: Checkout) -> None:
    (checkout.elsewhere / "letters").mkdir()
    (checkout.elsewhere / "letters" / "dear.txt").write_text("diary")
    answer = checkout.run("build", PARCFERME_VENV="letters")
    assert answer.code == 1
    assert "left alone" in answer.text
    assert [path.name for path in (checkout.elsewhere / "letters").iterdir()] == ["dear.txt"]


@pytest.mark.slow
def test_an_environment_is_really_made_where_ours_is_broken(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "pip")
    (checkout.root / "requirements.txt").write_text("# nothing: no download\n")
    venv = checkout.elsewhere / "my env"
    (venv / "bin").mkdir(parents=True)
    (venv / run.OURS).touch()
    (venv / "bin" / "python").symlink_to("/nowhere/python3")
    answer = checkout.run("build", PARCFERME_VENV="my env")
    assert answer.code == 0, answer.text
    assert "Making an environment" in answer.text
    assert (venv / ".parcferme-runtime").exists()
    assert len(checkout.calls("jobs")) == 1


# --- children -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "code"), [("0", 0), ("3", 3), ("7", 7), ("suicide", 137)])
def test_the_exit_status_of_the_build_is_passed_on(checkout: Checkout, how: str, code: int) -> None:
    answer = checkout.run(FAKE_JOBS=how) if code else checkout.run("build", FAKE_JOBS=how)
    assert answer.code == code, answer.text
    assert checkout.calls("streamlit") == [], "a failed build must not be followed by serving"


def test_it_works_from_elsewhere_and_relative_paths_keep_their_meaning(checkout: Checkout) -> None:
    checkout.run("build", PARCFERME_ARCHIVE="facts", PARCFERME_DATA="../run time")
    checkout.run("build", PARCFERME_ARCHIVE="https://example.org/facts")
    first, second = checkout.calls("jobs")
    assert first["args"] == ["build"]
    assert Path(first["cwd"]) == checkout.root
    assert first["env"]["PARCFERME_ARCHIVE"] == str(checkout.elsewhere / "facts")
    assert first["env"]["PARCFERME_DATA"] == str(checkout.elsewhere.parent / "run time")
    assert second["env"]["PARCFERME_ARCHIVE"] == "https://example.org/facts"
    assert "PARCFERME_DATA" not in second["env"]


@posix
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_no_child_survives_a_signal(checkout: Checkout, number: signal.Signals, code: int) -> None:
    running = checkout.start("build", FAKE_JOBS="family")
    family = checkout.pids()
    assert all(map(is_alive, family)), "the test would prove nothing"
    running.process.send_signal(number)
    assert running.code == code, running.text
    assert_gone(family)


@posix
def test_children_that_will_not_listen_are_killed_at_the_second_ctrl_c(checkout: Checkout) -> None:
    running = checkout.start("build", FAKE_JOBS="stubborn")
    family = checkout.pids()
    running.process.send_signal(signal.SIGINT)
    running.wait_for_text("Stopping")
    time.sleep(0.3)
    assert all(map(is_alive, family)), "they were to ignore the first"
    running.process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert running.code == 130
    assert time.monotonic() - asked < run.GRACE_S[0] / 2
    assert_gone(family)


@posix
def test_children_that_will_not_listen_are_killed_after_a_while(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GRACE_S", (0.2, 0.1))
    monkeypatch.setattr(run, "ROOT", checkout.root)
    monkeypatch.setenv("FAKE_JOBS", "stubborn")
    children = run.Children()
    children.start([checkout.venv / "bin" / "python", "-m", "jobs"], stdout=subprocess.DEVNULL)
    family = checkout.pids()
    children.end_all()
    assert_gone(family)


@linux
def test_what_a_finished_child_left_behind_is_ended_too(checkout: Checkout) -> None:
    assert checkout.run("build", FAKE_JOBS="leave").code == 0
    (left,) = checkout.pids()
    assert_gone([left])


# --- serving ------------------------------------------------------------------------------------------------


@posix
def test_serve_waits_for_health_prints_the_address_and_ends_cleanly(checkout: Checkout) -> None:
    port = free_port()
    running = checkout.start("serve", "--port", str(port))
    running.wait_for_text(rf"ready: http://localhost:{port}\b")
    assert checkout.calls("jobs") == [], "serve only serves"
    (call,) = checkout.calls("streamlit")
    assert call["args"][:2] == ["run", "server.py"]
    options = dict(zip(call["args"][2::2], call["args"][3::2], strict=True))
    assert options["--server.port"] == str(port)
    assert options["--server.headless"] == "true"
    assert options["--browser.gatherUsageStats"] == "false"
    running.process.send_signal(signal.SIGTERM)
    assert running.code == 143
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "somebody still serves"


@posix
def test_without_a_command_it_builds_and_then_serves(checkout: Checkout) -> None:
    port = free_port()
    running = checkout.start("--port", str(port))
    running.wait_for_text("ready: http")
    wait_for(lambda: len(checkout.calls("jobs")) == 2, "the scheduler beside the server")
    assert [call["name"] for call in checkout.calls()] == ["pip", "jobs", "streamlit", "jobs"]
    assert [call["args"] for call in checkout.calls("jobs")] == [["build"], ["run"]]
    running.process.send_signal(signal.SIGINT)
    assert running.code == 130


@posix
def test_it_serves_without_the_scheduler_when_told_to(checkout: Checkout) -> None:
    running = checkout.start("--no-jobs", "--port", str(free_port()))
    running.wait_for_text("ready: http")
    time.sleep(0.3)
    assert [call["name"] for call in checkout.calls()] == ["pip", "jobs", "streamlit"]
    running.process.send_signal(signal.SIGINT)
    assert running.code == 130


@posix
@pytest.mark.parametrize("ends", ["by the server", "by a signal"])
def test_the_scheduler_ends_with_the_server(checkout: Checkout, ends: str) -> None:
    (checkout.root / "jobs" / "__main__.py").write_text(RECORD + SCHEDULER)
    running = checkout.start("--port", str(free_port()))
    running.wait_for_text("ready: http")
    (scheduler,) = checkout.pids()
    (server,) = [
        child.pid for child in psutil.Process(running.process.pid).children() if child.pid != scheduler
    ]
    assert is_alive(scheduler), "the test would prove nothing"
    if ends == "by the server":
        os.kill(server, signal.SIGKILL)
        assert running.code == 137
    else:
        running.process.send_signal(signal.SIGTERM)
        assert running.code == 143
    assert_gone([scheduler, server])


@posix
@pytest.mark.parametrize(
    ("code", "words"), [(0, "has ended"), (6, "takes over when it stops"), (1, "started again in a minute")]
)
def test_the_pages_do_without_a_scheduler_that_ends(checkout: Checkout, code: int, words: str) -> None:
    (checkout.root / "jobs" / "__main__.py").write_text(
        RECORD + f"import sys; record('jobs'); sys.exit({code} if 'run' in sys.argv else 0)"
    )
    port = free_port()
    running = checkout.start("--port", str(port))
    running.wait_for_text(words)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0, "the pages are gone, too"
    running.process.send_signal(signal.SIGINT)
    assert running.code == 130


@pytest.mark.parametrize("command", [["serve"], []])
def test_a_port_that_was_asked_for_and_is_taken_is_an_error(
    checkout: Checkout, command: list[str], taken_port: int
) -> None:
    answer = checkout.run(*command, "--port", str(taken_port))
    assert answer.code == 2
    assert f"Port {taken_port} is taken" in answer.text
    assert checkout.calls("jobs") == [], "it must be said before minutes of building"
    assert checkout.calls("streamlit") == []


def test_the_next_free_port_is_taken_and_named(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "DEFAULT_PORT", taken_port)
    chosen = run.choose_port("127.0.0.1", None)
    assert chosen > taken_port
    assert run.port_is_free("127.0.0.1", chosen)
    said = capsys.readouterr().out
    assert f"{taken_port} is taken" in said
    assert f"using {chosen}" in said


def test_a_server_on_all_addresses_takes_the_port_too() -> None:
    with socket.socket() as holder:
        holder.bind(("", 0))
        holder.listen()
        assert not run.port_is_free("127.0.0.1", holder.getsockname()[1])


def test_a_server_that_dies_passes_its_exit_status_on(checkout: Checkout) -> None:
    answer = checkout.run("serve", "--port", str(free_port()), FAKE_STREAMLIT="9")
    assert answer.code == 9
    assert "ready: http" not in answer.text


# --- tests --------------------------------------------------------------------------------------------------


def test_test_runs_every_check_in_order_and_then_pytest(checkout: Checkout) -> None:
    answer = checkout.run("test")
    assert answer.code == 0, answer.text
    steps = [(call["name"], *call["args"]) for call in checkout.calls() if call["name"] != "pip"]
    assert steps == [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
        ("pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
    ]
    last = answer.text.strip().splitlines()[-3:]
    assert last[0] == "== pytest says ==", "pytest's closing line is to be found near the end"
    assert re.search(r"ruff check ok .* mypy ok .* pytest ok .* exit status 0", last[-1])


def test_a_failed_check_does_not_hide_the_tests_and_fails_the_whole(checkout: Checkout) -> None:
    answer = checkout.run("test", FAKE_MYPY="2", FAKE_PYTEST="1")
    assert answer.code == 2
    assert "== pytest says ==" in answer.text
    assert re.search(r"mypy FAILED \(2\).*pytest FAILED \(1\).*exit status 2", answer.text)


def test_with_arguments_only_pytest_runs_with_exactly_those(checkout: Checkout) -> None:
    answer = checkout.run("test", "-k", "not slow", "--port", FAKE_PYTEST="5")
    assert answer.code == 5
    (call,) = [call for call in checkout.calls() if call["name"] != "pip"]
    assert (call["name"], call["args"]) == ("pytest", ["-k", "not slow", "--port"])


def test_the_number_of_test_processes_can_be_set(checkout: Checkout) -> None:
    checkout.run("test", PARCFERME_TEST_WORKERS="0")
    assert checkout.calls("pytest")[0]["args"] == []
    assert checkout.run("test", PARCFERME_TEST_WORKERS="some").code == 2
