"""Runs the jobs that AWS runs on a schedule, but more often, so that a refund takes seconds in development."""

import http.client
import time

from processes import show
from runtime import FunctionError

# In seconds.
JOBS = {"deliver_outbox": 5, "send_messages": 5, "remind": 60, "reconcile_payments": 5, "compare_settlements": 3600, "sweep": 3600}


class Schedule:
    """Invokes each job when it is due. A failure is shown once, and the job retried."""

    def __init__(self, invoke):
        self.invoke = invoke
        self.due = dict.fromkeys(JOBS, 0)
        self.failing = set()

    def run_due(self, now):
        for job, seconds in JOBS.items():
            if self.due[job] <= now:
                self.run(job)
                self.due[job] = now + seconds

    def run(self, job):
        try:
            self.invoke("jobs", {"action": job})
        except (FunctionError, OSError, ValueError, http.client.HTTPException) as error:
            if job not in self.failing:
                show(f"The job {job} fails and is tried again every {JOBS[job]} seconds: {error}")
            self.failing.add(job)
            return
        if job in self.failing:
            show(f"The job {job} works again.")
        self.failing.discard(job)


def run_jobs(stack):
    """Runs the jobs until the process is ended."""
    schedule = Schedule(stack.invoke)
    while True:
        schedule.run_due(time.monotonic())
        time.sleep(0.5)
