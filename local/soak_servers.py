"""A Postgres and a Redis of a soak's own, on ports of their own, so that they can be stopped and started in between."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import services
from services import Missing
from stack import free_port

ROLE = "soak"


class Servers:
    """The two servers; leaving the `with` block ends them and deletes their data."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.postgres_port, self.redis_port = free_port(), free_port()
        self.database_url = f"postgresql://{ROLE}@127.0.0.1:{self.postgres_port}/postgres"
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}"
        self.processes = {}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # Postgres does not run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.programs = postgres_programs()
        # The user of Postgres may not enter the folder of the project.
        self.data = Path(tempfile.gettempdir(), f"soak-postgres-{os.getpid()}")
        made = subprocess.run([*self.user, str(self.programs / "initdb"), "-D", str(self.data), "-U", ROLE, "-A", "trust",
                               "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"], cwd="/", capture_output=True, text=True)
        if made.returncode:
            raise Missing(f"initdb fails: {made.stderr.strip()}")
        self.start("postgres")
        self.start("redis")
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.stop(name)
        subprocess.run([*self.user, "rm", "-rf", str(self.data)], cwd="/")

    def start(self, name):
        commands = {
            "postgres": [*self.user, str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.postgres_port),
                         "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
            "redis": ["redis-server", "--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", "", "--dir",
                      str(self.folder)],
        }
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(commands[name], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                    start_new_session=True)
        for _ in range(300):
            if self.answers(name):
                return
            time.sleep(0.1)
        raise Missing(f"{name} does not start; what it says is in {self.folder / f'{name}.log'}.")

    def answers(self, name):
        if name == "postgres":
            return services.psql([self.database_url], "select 1") == "1"
        return services.answers(self.redis_url)

    def stop(self, name):
        """Ends a server at once: Postgres cuts its connections, Redis forgets what it held."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGINT if name == "postgres" else signal.SIGKILL)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGQUIT)
            process.wait(30)


def postgres_programs():
    # Debian does not put the programs of the server on the PATH.
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        raise Missing("initdb is missing: the soak starts a Postgres of its own.")
    return places[-1]
