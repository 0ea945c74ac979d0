"""End-to-end tests of what frontends are made with: the TypeScript client."""

import os
import subprocess

import tools
import under_test
from under_test import Visitor


class TypeScriptClient(Visitor):
    """The client of clients/typescript, compiled with every check and packed, against the running system."""

    def test_it_passes_its_tests_against_the_running_system(self):
        folder, system = tools.typescript_client(), under_test.system
        packed = self.passes(folder, "npm", "pack", "--json")
        self.assertIn("built/client.d.ts", packed)
        self.assertNotIn("client.test", packed)
        told = self.passes(folder, "npm", "test", API=system.url, INBOX=system.urls["descope"], DAY=str(self.day),
                           STAFF_KEY=system.environment["STAFF_API_KEYS"].partition(":")[2])
        self.assertRegex(told, r"\bpass 10\b")

    def passes(self, folder, *command, **environment):
        own = {"NO_PROXY": "localhost", "no_proxy": "localhost"}
        done = subprocess.run(command, cwd=folder, env={**os.environ, **own, **environment}, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout
