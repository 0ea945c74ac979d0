"""Finds Postgres and Redis, or starts the project's own.

    eval "$(python3 local/services.py)"          sets DATABASE_URL and REDIS_URL; servers that it starts end with the shell
    eval "$(python3 local/services.py NAME)"     the same, with a database called NAME
    python3 local/services.py --stop             ends such servers if they were left running
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
from urllib.parse import quote, urlsplit

import machine
import servers
from machine import IS_ROOT, Missing, ROOT, say
from servers import Servers

DATABASE_URL = "postgresql://repairmybike:repairmybike@127.0.0.1:5432/repairmybike"
REDIS_URL = "redis://127.0.0.1:6379"
# `#[sqlx::test]` makes a database for each test, hence createdb; `migrate` makes the roles of the functions.
ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'repairmybike') then
        create role repairmybike;
    end if;
end $$;
alter role repairmybike login createdb createrole password 'repairmybike'
"""


def find(own):
    """Returns the environment, with DATABASE_URL and REDIS_URL of servers that answer.

    They are those of the environment, else those on the default ports, else `own` ones.
    """
    read_env_file()
    machine.find_compilers()
    found = {"DATABASE_URL": find_postgres(own), "REDIS_URL": find_redis(own)}
    # The PATH has changed with own servers.
    return {**os.environ, **found}


def find_postgres(own):
    url = os.environ.get("DATABASE_URL") or DATABASE_URL
    # A copied .env sets the URLs to our own defaults: then servers are looked for and started too.
    if url != DATABASE_URL:
        refuse_silent("DATABASE_URL", url)
        if psql([url], "select 1") is None:
            raise Missing("DATABASE_URL is set, but Postgres refuses it: check user, password and database name.")
        return url
    if not wants_own() and answers(DATABASE_URL):
        if make_role():
            return make_database(DATABASE_URL, "repairmybike")
        say("The Postgres on 127.0.0.1:5432 lets in neither repairmybike nor postgres, so another one is started.")
    superuser = own.start("postgres")
    psql([superuser], ROLE)
    return make_database(as_user(superuser, "repairmybike:repairmybike"), "repairmybike")


def find_redis(own):
    url = os.environ.get("REDIS_URL") or REDIS_URL
    if url != REDIS_URL:
        refuse_silent("REDIS_URL", url)
        return url
    if not wants_own() and servers.ask_redis(6379, "PING") == "+PONG":
        # Rate limits use NX, which came with Redis 7.
        if servers.ask_redis(6379, "PEXPIRE repairmybike:none 1 NX") != ":0":
            raise Missing("The Redis on 127.0.0.1:6379 is older than 7. Stop it, or set OWN_SERVERS=true.")
        return url
    return own.start("redis")


def wants_own():
    return os.environ.get("OWN_SERVERS") == "true"


def refuse_silent(variable, url):
    if not answers(url):
        raise Missing(f"{variable} is set, but nothing answers at {urlsplit(url).hostname}:{urlsplit(url).port or 'its default port'}.")


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


def make_role():
    """Whether the server on the default port has a user for us, made by its superuser if need be."""
    own = urlsplit(DATABASE_URL)._replace(path="/postgres").geturl()
    may = psql([own], "select rolcreatedb or rolsuper, rolcreaterole or rolsuper from pg_roles where rolname = current_user") or ""
    if may == "t|t":
        return True
    over_tcp = psql(["postgresql://postgres:postgres@127.0.0.1:5432/postgres"], ROLE)
    as_postgres = ["runuser", "-u", "postgres", "--"] if IS_ROOT else ["sudo", "-n", "-u", "postgres"]
    by_socket = psql(["--port=5432", "--dbname=postgres"], ROLE, prefix=as_postgres) if over_tcp is None else None
    return over_tcp is not None or by_socket is not None or may.startswith("t")


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
        servers.find_programs()
    command = [*prefix, "psql", *target, "-XqAt", "--no-password", "-v", "ON_ERROR_STOP=1", "-c", sql]
    try:
        result = subprocess.run(command, cwd="/", capture_output=True, text=True, env={**os.environ, "PGCONNECT_TIMEOUT": "3"})
    except FileNotFoundError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def main():
    own = Servers("test", quick=True)
    try:
        if sys.argv[1:] == ["--stop"]:
            return own.stop()
        environment = find(own)
        if len(sys.argv) > 1:
            environment["DATABASE_URL"] = make_database(environment["DATABASE_URL"], sys.argv[1])
        servers.find_test_programs()
    except Missing as missing:
        own.stop_started()
        say(missing)
        sys.exit(1)
    for name in ("DATABASE_URL", "REDIS_URL"):
        print(f"export {name}={shlex.quote(environment[name])}")
    if machine.on_path:
        print(f'export PATH={shlex.quote(":".join(machine.on_path))}:"$PATH"')
    if own.started:
        print(f"trap {shlex.quote(shlex.join([sys.executable, str(ROOT / 'local/services.py'), '--stop']))} EXIT")


if __name__ == "__main__":
    main()
