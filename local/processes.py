"""The processes of a system: their logs, their restarts and their end."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress

from machine import Missing, ROOT


class Processes:
    """Starts processes whose output goes to `logs`; an error that a function logs is shown as well."""

    def __init__(self, logs):
        self.logs = logs
        self.running = set()
        self.keepers = []
        self.said = set()
        self.stopping = False
        self.lock = threading.Lock()

    def start(self, command, environment):
        with self.lock:
            if self.stopping:
                raise Missing("the system is being stopped.")
            process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.running.add(process)
        return process

    def follow(self, name, process):
        """Writes the log of a process until it ends; returns its status and its last line."""
        last = self.read_log(name, process.stdout)
        status = process.wait()
        self.running.discard(process)
        return status, last

    def keep(self, name, command, environment):
        """Runs a process and restarts it when it ends."""
        keeper = threading.Thread(target=self.keep_running, args=(name, command, environment), daemon=True)
        self.keepers.append(keeper)
        keeper.start()

    def keep_running(self, name, command, environment):
        if shutil.which("setpriv"):
            # The kernel ends the process if we are killed. It watches the thread that started it, which is this one.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        while not self.stopping:
            with suppress(Missing):
                status, last = self.follow(name, self.start(command, environment))
                if not self.stopping:
                    show(f"{name} ended with status {status} and is started again. Its last words: {last}")
                    time.sleep(1)

    def stop(self):
        with self.lock:
            self.stopping = True
        for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            running = [process for process in list(self.running) if process.poll() is None]
            for process in running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, deadline - time.monotonic()))
        for keeper in self.keepers:
            keeper.join(1)

    def read_log(self, name, output):
        line = b""
        with output, open(self.logs / f"{name}.log", "ab", buffering=0) as log:
            for line in output:
                log.write(line)
                if b'"level":"ERROR"' in line and self.is_news(name, line):
                    show(f"{name}: {line.decode(errors='replace').rstrip()}")
        return line.decode(errors="replace").rstrip()

    def is_news(self, name, line):
        if name != "jobs":
            return True
        # A failing job logs the same error every few seconds until its cause is removed.
        said = re.sub(rb'"(timestamp|requestId|xrayTraceId)":"[^"]*"', b"", line)
        is_known = said in self.said
        self.said.add(said)
        return not is_known


def show(text):
    # One write, so that lines of several threads do not mix.
    print(text + "\n", end="", flush=True)
