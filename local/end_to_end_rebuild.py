"""Tests of a function that is built again while it answers, as `make dev` does when a source changes."""

import contextlib
import io
import json
import shutil
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import under_test
from end_to_end_lambda import request, silent_server
from machine import TARGET
from processes import Processes
from rebuild import Sources, build_changes
from runtime import Lambda


class Rebuild(unittest.TestCase):
    """A changed source is built, and a new binary answers the next event."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_a_new_binary_answers_the_next_event_and_no_event_is_lost(self):
        binary = self.folder / "function"
        put("vehicles", binary)
        processes = Processes(self.folder)
        self.addCleanup(processes.stop)
        functions = Lambda(processes)
        self.addCleanup(functions.stop)

        def status(path):
            return json.loads(functions.invoke("function", json.dumps(request(path)).encode()))["statusCode"]

        with silent_server() as port, ThreadPoolExecutor(6) as pool:
            silent = {"DATABASE_URL": f"postgresql://a@127.0.0.1:{port}/a", "REDIS_URL": f"redis://127.0.0.1:{port}"}
            functions.add(binary, {**under_test.system.environment_of("vehicles"), **silent}, timeout=15, instances=3)
            # Waits for Postgres while its binary is replaced.
            slow = pool.submit(status, "/api/vehicle-types/")
            early = [pool.submit(status, "/health/") for _ in range(60)]
            early[20].result()
            # While cargo replaces a binary there is none.
            binary.unlink()
            self.assertEqual(status("/health/"), 404)
            put("status", binary)
            late = [pool.submit(status, "/health/") for _ in range(60)]
            self.assertEqual({each.result() for each in early} | {200}, {404, 200})
            self.assertEqual({each.result() for each in late}, {200})
            self.assertEqual(slow.result(), 503)

    def test_a_change_of_a_source_is_built_once(self):
        source = self.folder / "functions/shop/src/lib.rs"
        source.parent.mkdir(parents=True)
        source.write_text("one")
        sources, built = Sources(self.folder), []
        self.assertEqual(self.shown(sources, lambda: built.append(1) or True), [])

        source.write_text("two")
        (source.parent / ".lib.rs.swp").write_text("an editor's")
        changed, end = self.shown(sources, lambda: built.append(2) or True)
        self.assertEqual(changed, "functions/shop/src/lib.rs changed. Building.")
        self.assertRegex(end, r"^\d+\.\d s: The next request reaches the new code.$")
        self.assertEqual((self.shown(sources, lambda: built.append(3) or True), built), ([], [2]))

    def test_what_does_not_compile_is_told_and_built_again_after_the_next_change(self):
        (self.folder / "Cargo.toml").write_text("one")
        sources = Sources(self.folder)
        (self.folder / "Cargo.toml").write_text("two")
        self.assertIn("It does not compile. The code of before goes on answering.", self.shown(sources, lambda: False)[1])
        (self.folder / "Cargo.toml").unlink()
        self.assertIn("The next request reaches the new code.", self.shown(sources, lambda: True)[1])

    def shown(self, sources, build):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            build_changes(sources, build)
        return shown.getvalue().splitlines()


def put(function, binary):
    new = binary.with_suffix(".new")
    shutil.copy(TARGET / "debug" / function, new)
    new.rename(binary)
