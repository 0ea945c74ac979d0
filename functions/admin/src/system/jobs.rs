//! The jobs in plain words: when each last ran, and what it did.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::kit::cell::moment_text;

/// A job's schedule is missed when its last run is older than so many intervals.
const INTERVALS: i64 = 3;
/// A run that takes longer has been stopped.
const LONGEST_RUN_SECONDS: i64 = 5 * 60;

/// A job: its name in the table of runs, its title, how often it runs, and that in seconds.
struct Job {
    name: &'static str,
    title: &'static str,
    schedule: &'static str,
    every_seconds: i64,
}

/// As in the schedules of the template.
const JOBS: [Job; 4] = [
    Job { name: "deliver_outbox", title: "Send messages and refunds", schedule: "every minute", every_seconds: 60 },
    Job {
        name: "reconcile_payments",
        title: "Compare payments with Razorpay",
        schedule: "every 10 minutes",
        every_seconds: 600,
    },
    Job {
        name: "compare_settlements",
        title: "Compare days with Razorpay's settlement report",
        schedule: "every hour, each day once",
        every_seconds: 3600,
    },
    Job { name: "sweep", title: "Delete what has expired", schedule: "every hour", every_seconds: 3600 },
];

/// The last run of a job, as it is stored.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Run {
    job: String,
    started: NaiveDateTime,
    age_seconds: i64,
    has_ended: bool,
    outcome: Option<Value>,
    error: Option<String>,
}

impl Run {
    fn of<'a>(job: &Job, runs: &'a [Self]) -> Option<&'a Self> {
        runs.iter().find(|run| run.job == job.name)
    }

    fn result(&self) -> String {
        match (&self.error, &self.outcome) {
            (Some(error), _) => format!("Failed: {error}"),
            (None, Some(outcome)) => result(&self.job, outcome),
            (None, None) if self.has_ended => "Done.".to_owned(),
            (None, None) if self.age_seconds < LONGEST_RUN_SECONDS => "Running now.".to_owned(),
            (None, None) => "Stopped before it was done. The next run goes on with it.".to_owned(),
        }
    }
}

fn is_late(job: &Job, runs: &[Run]) -> bool {
    Run::of(job, runs).is_none_or(|run| run.age_seconds > INTERVALS * job.every_seconds)
}

/// The titles of jobs whose last run is too long ago, or that have never run.
pub(super) fn late(runs: &[Run]) -> Vec<&'static str> {
    JOBS.iter().filter(|job| is_late(job, runs)).map(|job| job.title).collect()
}

/// The titles of jobs whose last run failed.
pub(super) fn failed(runs: &[Run]) -> Vec<&'static str> {
    let has_failed = |job: &&Job| Run::of(job, runs).is_some_and(|run| run.error.is_some());
    JOBS.iter().filter(has_failed).map(|job| job.title).collect()
}

/// What a run did, by the counts that it leaves.
fn result(job: &str, outcome: &Value) -> String {
    let count = |name: &str| outcome.get(name).and_then(Value::as_i64).unwrap_or_default();
    match job {
        "deliver_outbox" => format!(
            "Sent {}, to be tried again {}, given up {}.",
            count("delivered"),
            count("postponed"),
            count("failed")
        ),
        "reconcile_payments" => format!(
            "Asked Razorpay about {}: {} and {} had changed.",
            counted(count("asked"), "order", "orders"),
            counted(count("applied"), "payment", "payments"),
            counted(count("refunds"), "refund", "refunds")
        ),
        "compare_settlements" => format!(
            "Compared {} with {}: {} had no record here.",
            counted(count("days"), "day", "days"),
            counted(count("entries"), "entry", "entries"),
            counted(count("unmatched"), "entry", "entries")
        ),
        _ => {
            let fields = outcome.as_object().into_iter().flat_map(|fields| fields.values());
            let at_descope = count("sessions_ended") + count("replacements_finished");
            let rows: i64 = fields.filter_map(Value::as_i64).sum::<i64>() - at_descope;
            let deleted = format!("Deleted {}.", counted(rows, "expired entry", "expired entries"));
            let finished = format!(" Finished {} at Descope.", counted(at_descope, "thing", "things"));
            if at_descope == 0 { deleted } else { deleted + &finished }
        }
    }
}

fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(super) fn table(runs: &[Run]) -> Markup {
    html! {
        div.table role="region" aria-label="Jobs" tabindex="0" {
            table {
                thead { tr { @for title in ["Job", "Runs", "Last run", "Result", "State"] { th scope="col" { (title) } } } }
                tbody {
                    @for job in &JOBS {
                        @let run = Run::of(job, runs);
                        tr {
                            td data-label="Job" { (job.title) }
                            td data-label="Runs" { (job.schedule) }
                            td data-label="Last run" { @if let Some(run) = run { (moment_text(run.started)) } @else { "never" } }
                            td data-label="Result" { @if let Some(run) = run { (run.result()) } @else { "Has not run yet." } }
                            td data-label="State" {
                                @if is_late(job, runs) { span.tag.bad { "Late" } }
                                @else if run.is_some_and(|run| run.error.is_some()) { span.tag.bad { "Failed" } }
                                @else { span.tag.good { "On time" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(job: &str, age_seconds: i64) -> Run {
        let started = "2026-11-30T10:00:00".parse().unwrap();
        Run { job: job.to_owned(), started, age_seconds, has_ended: true, outcome: None, error: None }
    }

    #[test]
    fn a_job_is_late_after_three_intervals_and_if_it_has_never_run() {
        let on_time = [
            run("deliver_outbox", 180),
            run("reconcile_payments", 1800),
            run("compare_settlements", 10_800),
            run("sweep", 10_800),
        ];
        assert_eq!(late(&on_time), [""; 0]);
        let one_second_more = [
            run("deliver_outbox", 181),
            run("reconcile_payments", 1801),
            run("compare_settlements", 10_801),
            run("sweep", 10_801),
        ];
        let all = [
            "Send messages and refunds",
            "Compare payments with Razorpay",
            "Compare days with Razorpay's settlement report",
            "Delete what has expired",
        ];
        assert_eq!(late(&one_second_more), all);
        assert_eq!(late(&[]), all);
    }

    #[test]
    fn the_schedules_are_those_of_the_template() {
        let template = include_str!("../../../../template.yaml");
        for job in &JOBS {
            let input = format!("Input: '{{\"action\": \"{}\"}}'", job.name);
            let (before, _) = template.split_once(&input).expect("a schedule of the job");
            let (_, rate) = before.rsplit_once("ScheduleExpression: rate(").expect("its rate");
            let (count, unit) = rate.split_once(')').unwrap().0.split_once(' ').unwrap();
            let unit_seconds = if unit.starts_with("hour") { 3600 } else { 60 };
            assert_eq!(count.parse::<i64>().unwrap() * unit_seconds, job.every_seconds, "{}", job.name);
        }
    }

    #[test]
    fn a_result_is_told_in_words() {
        let delivered =
            json!({ "action": "deliver_outbox", "delivered": 2, "postponed": 1, "failed": 0, "oldest_seconds": 9 });
        assert_eq!(result("deliver_outbox", &delivered), "Sent 2, to be tried again 1, given up 0.");
        let reconciled = json!({ "asked": 5, "applied": 1, "refunds": 0, "mismatched": 0 });
        let words = "Asked Razorpay about 5 orders: 1 payment and 0 refunds had changed.";
        assert_eq!(result("reconcile_payments", &reconciled), words);
        let swept = json!({ "action": "sweep", "session_tokens": 3, "outbox": 4 });
        assert_eq!(result("sweep", &swept), "Deleted 7 expired entries.");
        let swept = json!({ "action": "sweep", "outbox": 4, "sessions_ended": 2, "replacements_finished": 1 });
        assert_eq!(result("sweep", &swept), "Deleted 4 expired entries. Finished 3 things at Descope.");
    }
}
