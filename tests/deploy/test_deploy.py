"""The production files: that compose.yaml and deploy/ say the right thing, and Supervisor's by running it."""

import contextlib
import http.client
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from backoffice.management import warden
from backoffice.management.redis_server import free_port
from tests import servers
from tests.servers import wait_until

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = "/srv/backoffice"
WORKERS = ("worker", "tasks", "control")
UNITS = ("web", *WORKERS, "beat")
SOFT_SHUTDOWN = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT


# --- Compose ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_compose_has_every_process_and_both_stores(services: dict[str, Any]) -> None:
    assert set(services) == {"redis", "postgres", "migrate", *UNITS}
    assert services["redis"]["image"] == "redis:8"
    assert services["postgres"]["image"].startswith("postgres:")


@pytest.mark.parametrize("name", ["redis", "postgres", "web", *WORKERS])
def test_compose_asks_each_server_for_its_health(services: dict[str, Any], name: str) -> None:
    assert services[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", UNITS)
def test_compose_migrates_before_anything_else_starts(services: dict[str, Any], name: str) -> None:
    assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["restart"] == "no"


def test_compose_opens_no_port_but_the_webs_and_that_on_loopback(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


@pytest.mark.parametrize("name", WORKERS)
def test_compose_gives_workers_the_time_to_hand_their_tasks_back(services: dict[str, Any], name: str) -> None:
    assert services[name]["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert int(services[name]["stop_grace_period"].rstrip("s")) > SOFT_SHUTDOWN


def test_compose_keeps_no_secret_and_starts_without_none(services: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    for name in ("DJANGO_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?" in text
        assert re.search(rf"^{name}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_the_volumes_that_compose_mounts_are_declared(services: dict[str, Any]) -> None:
    mounted = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert mounted == set(yaml.safe_load((ROOT / "compose.yaml").read_text())["volumes"])


def test_compose_migrates_with_commands_that_exist(services: dict[str, Any]) -> None:
    script = services["migrate"]["command"][-1]
    assert set(re.findall(r"manage\.py (\w+)", script)) == {"migrate", "setup_backoffice"} & set(get_commands())


# --- What the three ways have in common ------------------------------------------------------------------------------


def commands() -> dict[str, list[str]]:
    """Every command of the production files, named by file and process."""
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    found = {f"compose {name}": composed[name]["command"] for name in (*WORKERS, "beat")}
    for name in UNITS:
        found[f"systemd {name}"] = shlex.split(unit(name)["ExecStart"][0])
        found[f"supervisor {name}"] = shlex.split(programs()[name]["command"])
    docker = re.search(r"^CMD (\[.*\])", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    assert docker
    found["docker web"] = yaml.safe_load(docker[1])
    return found


def unit(name: str) -> dict[str, list[str]]:
    """A systemd unit's settings; the same one may be given several times."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / f"deploy/systemd/backoffice-{name}.service").read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def programs() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in (ROOT / "deploy/supervisor/backoffice.conf").read_text().splitlines():
        if section := re.fullmatch(r"\[\w+:(\w+)\]", line):
            found[section[1]] = {}
        elif line and not line.startswith(";"):
            key, _, value = line.partition("=")
            found[list(found)[-1]][key] = value
    return found


@pytest.mark.parametrize("where", commands())
def test_each_command_starts_something_that_exists(where: str) -> None:
    program, *arguments = commands()[where]
    assert Path(program).name in {"celery", "gunicorn", "python"}
    assert (Path(sys.executable).parent / Path(program).name).exists()
    if "-A" in arguments:
        assert importlib.import_module(arguments[arguments.index("-A") + 1]).celery_app
    if "-Q" in arguments:
        assert arguments[arguments.index("-Q") + 1] in {queue.name for queue in settings.CELERY_TASK_QUEUES}
    if ":" in arguments[0]:
        module, _, name = arguments[0].partition(":")
        assert hasattr(importlib.import_module(module), name)


def test_between_them_the_workers_serve_every_queue() -> None:
    for way in ("compose", "systemd", "supervisor"):
        lines = [commands()[f"{way} {name}"] for name in WORKERS]
        served = {line[line.index("-Q") + 1] for line in lines}
        assert served == {queue.name for queue in settings.CELERY_TASK_QUEUES}


def test_a_queue_of_ones_own_has_a_worker_like_that_of_the_tasks() -> None:
    """By systemd's template; the others are copied by hand, so that the word stands for nothing else in them."""
    template, tasks = (ROOT / f"deploy/systemd/backoffice-{name}.service" for name in ("queue@", "tasks"))
    assert "-n %i@%%h -Q %i -c 1\n" in template.read_text()
    lines = [template.read_text().replace("%i", "tasks"), tasks.read_text()]
    assert len({line for text in lines for line in text.splitlines() if not line.startswith("Description=")}) == len(
        {line for line in lines[1].splitlines() if not line.startswith("Description=")}
    )
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["tasks"]
    copy = yaml.safe_load(yaml.safe_dump(composed).replace("tasks", "heavy"))
    assert copy["command"][copy["command"].index("-Q") + 1] == "heavy"
    supervised = {key: value.replace("tasks", "heavy") for key, value in programs()["tasks"].items()}
    assert "-n heavy@%%h -Q heavy -c 1" in supervised["command"]
    assert {key for key, value in supervised.items() if "heavy" in value} == {"command", "stdout_logfile"}


def test_the_example_environment_names_every_variable_that_the_settings_read() -> None:
    read = set(re.findall(r'(?:environ\.get|environ|flag)[(\[]"(\w+)"', (ROOT / "backoffice/settings.py").read_text()))
    read -= {"BACKOFFICE_PROCESS"}  # set by wsgi.py
    named = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read
    assert read <= named


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_unprivileged_comes_back_and_is_stopped_gently(name: str) -> None:
    settings_of = unit(name)
    assert settings_of["User"] == ["backoffice"]
    assert settings_of["Restart"] == ["always"]
    assert settings_of["KillMode"] == ["mixed"]
    assert settings_of["NoNewPrivileges"] == ["yes"]
    assert settings_of["StateDirectoryMode"] == ["0700"]
    assert settings_of["UMask"] == ["0077"]
    assert settings_of["EnvironmentFile"] == ["/etc/backoffice.env"]
    if name in WORKERS:
        assert "REMAP_SIGTERM=SIGQUIT" in settings_of["Environment"]
        assert int(settings_of["TimeoutStopSec"][0]) > SOFT_SHUTDOWN


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    # It wants the programs and the user to exist: ours stand in for those of the machine that the units are for.
    (tmp_path / "bin").mkdir()
    for program in ("celery", "gunicorn"):
        (tmp_path / "bin" / program).symlink_to("/bin/true")
    files = []
    for source in (ROOT / "deploy/systemd").iterdir():
        text = source.read_text().replace(f"{HOME}/.venv/bin", f"{tmp_path}/bin").replace(HOME, str(tmp_path))
        files.append(tmp_path / source.name)
        files[-1].write_text(text.replace("=backoffice\n", "=root\n"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")


# --- Supervisor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
def test_supervisor_signals_the_main_process_and_kills_the_group(name: str) -> None:
    program = programs()[name]
    assert (program["stopasgroup"], program["killasgroup"]) == ("false", "true")
    assert program["umask"] == "077"
    if name in WORKERS:
        assert 'REMAP_SIGTERM="SIGQUIT"' in program["environment"]
        assert int(program["stopwaitsecs"]) > SOFT_SHUTDOWN


class Supervised:
    """supervisord with the shipped configuration; only folder, user, log and port are this machine's."""

    MAIN = """\
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[unix_http_server]
file={folder}/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/socket
[include]
files={folder}/backoffice.conf
"""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self._configuration = folder / "supervisord.conf"
        self._configuration.write_text(self.MAIN.format(folder=folder))
        text = (ROOT / "deploy/supervisor/backoffice.conf").read_text()
        # Through links: this machine's own path may hold spaces.
        (folder / "bin").symlink_to(Path(sys.executable).parent)
        (folder / "home").symlink_to(ROOT)
        text = text.replace(f"{HOME}/.venv/bin", f"{folder}/bin").replace(HOME, f"{folder}/home")
        text = text.replace("user=backoffice\n", "").replace("/var/log/supervisor", str(folder))
        (folder / "backoffice.conf").write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}"))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    def control(self, *words: str) -> str:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self._configuration), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def running(self) -> dict[str, int]:
        """Name and pid of what Supervisor calls RUNNING, which it does after `startsecs`."""
        return {m[1]: int(m[2]) for m in re.finditer(r"backoffice:(\w+) +RUNNING +pid (\d+)", self.control("status"))}

    def web_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        return False


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with servers.redis_server(tmp_path / "redis") as redis_url:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
        environment |= {
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "BACKOFFICE_VAR": str(tmp_path),
        }
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        yield environment


def ping(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "inspect", "ping", "--timeout", "2"]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.long
def test_supervisor_runs_everything_and_leaves_nothing_behind(tmp_path: Path, environment: dict[str, str]) -> None:
    supervised = Supervised(tmp_path, environment)
    try:
        wait_until(lambda: set(supervised.running()) == set(UNITS), 90, "every program RUNNING")
        pids = supervised.running().values()
        wait_until(supervised.web_answers, what="the web server")
        wait_until(lambda: "3 nodes online" in ping(environment), 60, "every worker's answer")
    finally:
        supervised.process.terminate()
        supervised.process.wait(timeout=90)
    assert [pid for leader in pids for pid in warden.members(leader)] == []
