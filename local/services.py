"""Finds or starts Postgres and Redis on one machine, and installs missing packages to build and run the system.

    eval "$(python3 local/services.py)"          sets DATABASE_URL and REDIS_URL
    eval "$(python3 local/services.py NAME)"     the same, with a database called NAME
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
DATABASE_URL = "postgresql://repairmybike:repairmybike@127.0.0.1:5432/repairmybike"
REDIS_URL = "redis://127.0.0.1:6379"
# A shell opened by SSH may set a locale that the machine lacks, and creating a cluster then fails.
CLUSTER_LOCALE = "LC_ALL=C.UTF-8"
# `#[sqlx::test]` makes a database for each test, hence createdb; `migrate` makes the roles of the functions.
ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'repairmybike') then
        create role repairmybike;
    end if;
end $$;
alter role repairmybike login createdb createrole password 'repairmybike'
"""


class Missing(Exception):
    """A missing prerequisite, in one sentence for the user."""


def say(text):
    # Standard output is read by `eval`.
    print(text, file=sys.stderr, flush=True)


def find():
    """Returns the environment, with DATABASE_URL and REDIS_URL of servers that answer."""
    read_env_file()
    install_build_tools()
    database_url = os.environ.get("DATABASE_URL") or DATABASE_URL
    redis_url = os.environ.get("REDIS_URL") or REDIS_URL

    # A copied .env sets the URLs to our own defaults: then the servers are started too.
    to_start = []
    if not answers(database_url):
        to_start.append("postgres" if database_url == DATABASE_URL else refuse("DATABASE_URL", database_url))
    if not answers(redis_url):
        to_start.append("redis" if redis_url == REDIS_URL else refuse("REDIS_URL", redis_url))
    if to_start:
        start(to_start)

    if database_url == DATABASE_URL:
        make_role()
        make_database(database_url, "repairmybike")
    elif psql([database_url], "select 1") is None:
        raise Missing("DATABASE_URL is set, but Postgres refuses it: check user, password and database name.")
    if redis_url == REDIS_URL and not redis_says("+PONG"):
        raise Missing("The server on 127.0.0.1:6379 is no Redis without a password: set REDIS_URL to one that can be used.")
    return {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}


def make_database(url, name, fresh=False):
    """Creates the database `name` on the server of `url` unless it exists, or anew if `fresh`, and returns its URL."""
    own = urlsplit(url)._replace(path=f"/{name}").geturl()
    if not fresh and psql([own], "select 1") == "1":
        return own
    maintenance = urlsplit(url)._replace(path="/postgres").geturl()
    if fresh:
        psql([maintenance], f'drop database if exists "{name}" with (force)')
    if psql([maintenance], f'create database "{name}"') is None:
        raise Missing(f"The database {name} could not be created: the user of DATABASE_URL needs the right to (createdb).")
    return own


def read_env_file():
    file = ROOT / ".env"
    for line in file.read_text().splitlines() if file.exists() else []:
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def answers(url):
    parts = urlsplit(url)
    default = 5432 if parts.scheme.startswith("postgres") else 6379
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default), timeout=2).close()
    except OSError:
        return False
    return True


def refuse(variable, url):
    raise Missing(f"{variable} is set, but nothing answers at {urlsplit(url).hostname}:{urlsplit(url).port or 'its default port'}.")


# Starting the servers


def start(names):
    if docker_answers():
        say(f"Starting {' and '.join(names)} with Docker Compose.")
        run(["docker", "compose", "--file", str(ROOT / "local/compose.yaml"), "up", "--detach", "--wait", *names])
        return
    if "postgres" in names:
        start_debian_postgres()
        wait_for(DATABASE_URL, "Postgres")
    if "redis" in names:
        start_debian_redis()
        wait_for(REDIS_URL, "Redis")


def docker_answers():
    # The command alone is not enough: the engine may be off, and Compose is a plug-in.
    return shutil.which("docker") is not None and all(
        subprocess.run(["docker", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        for words in (["info"], ["compose", "version"])
    )


def start_debian_postgres():
    if not shutil.which("pg_lsclusters"):
        install(["postgresql"], "the bookings live in Postgres")
    if answers(DATABASE_URL):
        return
    clusters = [line.split() for line in output(["pg_lsclusters", "--no-header"]).splitlines()]
    if not any(cluster[2] == "5432" for cluster in clusters):
        versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
        say("Making a Postgres cluster on port 5432.")
        run(as_root(["env", CLUSTER_LOCALE, "pg_createcluster", "--port", "5432", versions[-1].name, "repairmybike"]))
        clusters = [[versions[-1].name, "repairmybike", "5432"]]
    version, name = next(cluster[:2] for cluster in clusters if cluster[2] == "5432")
    say(f"Starting Postgres {version} on 127.0.0.1:5432.")
    run(as_root(["pg_ctlcluster", version, name, "start", "--options", "-c listen_addresses=127.0.0.1"]))


def start_debian_redis():
    if not shutil.which("redis-server"):
        install(["redis-server"], "the cache and the rate limits live in Redis")
    if answers(REDIS_URL):
        return
    say("Starting Redis on 127.0.0.1:6379.")
    directory = TARGET / "services"
    directory.mkdir(parents=True, exist_ok=True)
    # Its data need not survive a restart, so nothing is saved.
    run(["redis-server", "--bind", "127.0.0.1", "--port", "6379", "--save", "", "--daemonize", "yes",
         "--dir", str(directory), "--logfile", str(directory / "redis.log")])


def wait_for(url, name):
    for _ in range(100):
        if answers(url):
            return
        time.sleep(0.1)
    raise Missing(f"{name} was started but does not answer at {urlsplit(url).hostname}:{urlsplit(url).port}.")


# Role and database, on a server that we administer


def make_role():
    own = urlsplit(DATABASE_URL)._replace(path="/postgres").geturl()
    may = psql([own], "select rolcreatedb or rolsuper, rolcreaterole or rolsuper from pg_roles where rolname = current_user")
    if may == "t|t":
        return
    over_tcp = psql(["postgresql://postgres:postgres@127.0.0.1:5432/postgres"], ROLE)
    if over_tcp is None and psql(["--port=5432", "--dbname=postgres"], ROLE, prefix=as_postgres()) is None and not (may or "").startswith("t"):
        raise Missing("The Postgres on 127.0.0.1:5432 lets in neither repairmybike nor postgres: set DATABASE_URL to one that can be used.")


def logins(url):
    """Returns the logins of the functions' roles, as `migrate` takes them; none if the user of `url` may not make roles.

    Roles belong to a whole server, so they are named for the database: two systems on one server do not meet.
    """
    facts = "select current_database() from pg_roles where rolname = current_user and (rolcreaterole or rolsuper)"
    database = psql([url], facts)
    if not database or len(database) > 50:
        return {}
    return {f"{kind.upper()}_LOGIN": f"{database}_{kind}:repairmybike" for kind in ("application", "readers")}


def as_user(url, login):
    """Returns the URL of a database for another user, given as name:password."""
    parts = urlsplit(url)
    user, _, password = login.partition(":")
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}").geturl()


def psql(target, sql, prefix=()):
    """Returns the output of the statement, or None if it failed."""
    if not shutil.which("psql"):
        install(["postgresql-client"], "psql makes the role and the database")
    command = [*prefix, "psql", *target, "-XqAt", "--no-password", "-v", "ON_ERROR_STOP=1", "-c", sql]
    result = subprocess.run(command, cwd="/", capture_output=True, text=True, env={**os.environ, "PGCONNECT_TIMEOUT": "3"})
    return result.stdout.strip() if result.returncode == 0 else None


def as_postgres():
    return as_root(["-u", "postgres"]) if os.geteuid() else ["runuser", "-u", "postgres", "--"]


def redis_says(word):
    try:
        with socket.create_connection(("127.0.0.1", 6379), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(100).decode(errors="replace").startswith(word)
    except OSError:
        return False


# Packages


def install_build_tools():
    if not shutil.which("cargo"):
        raise Missing("cargo is missing: install a Rust toolchain from https://rustup.rs first.")
    if not shutil.which("cc"):
        install(["gcc", "libc6-dev"], "some crates compile C code and need a C compiler")


def install(packages, reason):
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise Missing(f"{names} is missing and this system has no apt-get: install it yourself (Postgres and Redis may run in Docker instead).")
    say(f"Installing {names}: {reason}.")
    # A broken third-party source fails the update, but the package may still be available.
    subprocess.run(as_root(["apt-get", "update", "-q"]), stdout=sys.stderr)
    run(as_root(["env", "DEBIAN_FRONTEND=noninteractive", CLUSTER_LOCALE,
                 "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]))


def as_root(command):
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise Missing(f"{shlex.join(command)} needs root or sudo.")
    return ["sudo", *command]


def run(command, cwd="/"):
    try:
        status = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode
    except FileNotFoundError:
        raise Missing(f"{command[0]} is missing.") from None
    if status:
        raise Missing(f"This command failed: {shlex.join(command)}")


def output(command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def main():
    try:
        environment = find()
        if len(sys.argv) > 1:
            environment["DATABASE_URL"] = make_database(environment["DATABASE_URL"], sys.argv[1])
    except Missing as missing:
        say(missing)
        sys.exit(1)
    for name in ("DATABASE_URL", "REDIS_URL"):
        print(f"export {name}={shlex.quote(environment[name])}")


if __name__ == "__main__":
    main()
