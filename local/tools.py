"""Gets the tools that the project is run, checked and deployed with; versions are pinned here.

    python3 local/tools.py run       cargo-lambda, which emulates Lambda
    python3 local/tools.py deploy    the same, SAM and zig, which cross-compiles
    python3 local/tools.py check     cargo-sqlx and cargo-deny

Each prints the directory that belongs on the PATH.
"""

import importlib.util
import os
import sys
from pathlib import Path

import services
from services import Missing, ROOT, TARGET, run, say

PYTHON_TOOLS = TARGET / "tools" / "python"
CARGO_TOOLS = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo") / "bin"


def for_run():
    # Its wheel asks for zig, 90 MB that only a cross-compiling build needs.
    return python_tools("--no-deps", "cargo-lambda==1.9.2")


def for_deploy():
    run(["rustup", "target", "add", "aarch64-unknown-linux-gnu"], cwd=ROOT)
    for_run()
    return python_tools("aws-sam-cli==1.170.0", "ziglang==0.17.1")


def for_check():
    cargo_tool("sqlx", "sqlx-cli@0.8.6", "--no-default-features", "--features", "postgres")
    cargo_tool("deny", "cargo-deny@0.20.2")
    return CARGO_TOOLS


def python_tools(*arguments):
    packages = [argument for argument in arguments if "==" in argument]
    absent = [package for package in packages if not installed(package)]
    if absent:
        if not importlib.util.find_spec("ensurepip"):
            services.install(["python3-venv"], "the tools go into a virtual environment in target/")
        say(f"Installing {' '.join(absent)} into {PYTHON_TOOLS}.")
        run([sys.executable, "-m", "venv", str(PYTHON_TOOLS)])
        run([str(PYTHON_TOOLS / "bin/pip"), "install", "--disable-pip-version-check", *arguments])
    return PYTHON_TOOLS / "bin"


def installed(package):
    name, version = package.split("==")
    return any(PYTHON_TOOLS.glob(f"lib/python*/site-packages/{name.replace('-', '_')}-{version}.dist-info"))


def cargo_tool(command, package, *features):
    name, version = package.split("@")
    binary = CARGO_TOOLS / f"cargo-{command}"
    if not binary.exists() or version not in services.output([str(binary), command, "--version"]).split():
        say(f"Building {name} {version}; this takes some minutes, once.")
        run(["cargo", "install", "--locked", package, *features], cwd=ROOT)


def main():
    choices = {"run": for_run, "deploy": for_deploy, "check": for_check}
    try:
        services.install_build_tools()
        print(choices[sys.argv[1]]())
    except (IndexError, KeyError):
        sys.exit(__doc__)
    except Missing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
