"""Builds the functions, and builds them again when a source changes; the next event is handled by the new binary."""

import os
import subprocess
import time

from processes import show
from machine import ROOT

# What the functions are built from.
FOLDERS = ["functions", "shared", "migrations", ".sqlx"]
FILES = ["Cargo.toml", "Cargo.lock"]


def build(*options):
    """Returns whether everything compiles."""
    # As deployed: api would enable the feature that describes the routes.
    command = ["cargo", "build", *options, "--workspace", "--exclude", "api", "--bins"]
    return subprocess.run(command, cwd=ROOT).returncode == 0


class Sources:
    """The files that the functions below `root` are built from, and when each was changed."""

    def __init__(self, root=ROOT):
        self.root = root
        self.known = self.read()

    def read(self):
        paths = [os.path.join(self.root, name) for name in FILES]
        for folder in FOLDERS:
            for place, _, names in os.walk(os.path.join(self.root, folder)):
                # Programs that edit a file keep hidden ones beside it.
                paths += [os.path.join(place, name) for name in names if not name.startswith(".")]
        return {path: changed_at(path) for path in paths}

    def changes(self):
        """Returns the files that were added, changed or removed since the last call."""
        before, self.known = self.known, self.read()
        return sorted({os.path.relpath(path, self.root) for path, _ in before.items() ^ self.known.items()})


def changed_at(path):
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return None


def keep_building(sources):
    """Builds after each change, until the process ends."""
    while True:
        time.sleep(0.3)
        build_changes(sources, lambda: build("--quiet"))


def build_changes(sources, build):
    changes = sources.changes()
    if not changes:
        return
    more = f" and {len(changes) - 1} more" if changes[1:] else ""
    begun = time.monotonic()
    show(f"{changes[0]}{more} changed. Building.")
    # What does not compile leaves the binaries of before, so their processes go on answering.
    end = "The next request reaches the new code." if build() else "It does not compile. The code of before goes on answering."
    show(f"{time.monotonic() - begun:.1f} s: {end}")
