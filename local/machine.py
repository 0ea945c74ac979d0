"""What this machine has, and how what is missing gets onto it: packages of PyPI and npm into target/, of Debian with root or
sudo."""

import importlib.util
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
IS_ROOT = os.geteuid() == 0
# A shell opened by SSH may set a locale that the machine lacks.
LOCALE = "LC_ALL=C.UTF-8"
# Folders of programs that were put on the PATH of this process, and belong on that of its shell.
on_path = []


class Missing(Exception):
    """A missing prerequisite, in one sentence for the user."""


def say(text):
    # Standard output is read by `eval`.
    print(text, file=sys.stderr, flush=True)


def run(command, cwd="/"):
    try:
        status = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode
    except FileNotFoundError:
        raise Missing(f"{command[0]} is missing.") from None
    if status:
        raise Missing(f"This command failed: {shlex.join(map(str, command))}")


def output(command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def put_on_path(folder):
    if str(folder) not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
        on_path.insert(0, str(folder))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# PyPI and npm


def python_packages(directory, *arguments, python=sys.executable):
    """Installs the pinned packages among the arguments of pip into a virtual environment; returns its programs."""
    packages = [argument for argument in arguments if "==" in argument]
    absent = [package for package in packages if not is_installed(directory, package)]
    if absent:
        if not importlib.util.find_spec("ensurepip"):
            install(["python3-venv"], "the tools go into a virtual environment in target/")
        say(f"Installing {' '.join(absent)} into {directory}.")
        run([python, "-m", "venv", str(directory)])
        run([str(directory / "bin/pip"), "install", "--disable-pip-version-check", *arguments])
    return directory / "bin"


def is_installed(directory, package):
    name, version = package.split("==")
    name = name.split("[")[0]
    return any(directory.glob(f"lib/python*/site-packages/{name.replace('-', '_')}-{version}.dist-info"))


def node_packages(source, directory):
    """Copies programs to `directory` and installs packages beside them, where Node looks; `source` stays clean."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.suffix not in (".py", ".txt") and file.is_file():
            shutil.copy(file, directory)
    # Written last, so that an interrupted installation is not taken for a complete one.
    done, wanted = directory / "installed.json", (source / "package.json").read_text()
    if not done.exists() or done.read_text() != wanted:
        say(f"Installing {' '.join(json.loads(wanted)['dependencies'])} into {directory}.")
        run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory)
        done.write_text(wanted)
    return directory


# Debian


def find_compilers():
    if not shutil.which("cargo"):
        raise Missing("cargo is missing: install a Rust toolchain from https://rustup.rs first.")
    if not shutil.which("cc"):
        install(["gcc", "libc6-dev"], "some crates compile C code and need a C compiler")


def install(packages, reason):
    """Installs packages of Debian."""
    names = " and ".join(packages)
    by = [] if IS_ROOT else ["sudo"]
    if not shutil.which("apt-get") or not all(map(shutil.which, by)):
        raise Missing(f"{names} is missing: {reason}. Install it; this needs root or sudo, and outside Debian it has another name.")
    say(f"Installing {names}: {reason}.")
    # A broken third-party source fails the update, but the package may still be available.
    subprocess.run([*by, "apt-get", "update", "-q"], stdout=sys.stderr)
    run([*by, "env", "DEBIAN_FRONTEND=noninteractive", LOCALE,
         "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages])
