//! The statements of a booking as one prepared script of pgbench, which comes with Postgres.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{Result, programs::on_path, statements::Statement, wire::Captured};

/// Transactions of each run that are not counted, because Postgres still chooses its plans.
const WARM_UP: usize = 10;

/// A script, and the arguments of its runs.
#[derive(Debug)]
pub(crate) struct Script {
    program: PathBuf,
    file: PathBuf,
    log: PathBuf,
    database_url: String,
    variables: Vec<String>,
}

impl Script {
    /// Writes the script of this booking into `directory`; `None` without pgbench. Values stay as captured, except the
    /// two that must differ in each booking: the customer's number and the reference.
    pub(crate) fn write(booking: &Captured, database_url: &str, directory: &Path) -> Result<Option<Self>> {
        let Some(program) = program() else { return Ok(None) };
        let mut script = "\\set phone random(900000000000, 999999999999)\n\
                          \\set reference random(1, 1000000000000000000)\n"
            .to_owned();
        let mut variables = Vec::new();
        for (index, statement) in booking.statements.iter().enumerate() {
            if statement.values.is_empty() {
                // Statements of one message stay one round trip.
                let commands: Vec<&str> =
                    statement.sql.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
                let one_by_one = commands.join(";\n");
                match commands.len() {
                    1 => writeln!(script, "{one_by_one};")?,
                    _ => writeln!(script, "\\startpipeline\n{one_by_one};\n\\endpipeline")?,
                }
                continue;
            }
            let sql = filled(statement, |place, value| match value {
                None => "null".to_owned(),
                // pgbench has no empty variables.
                Some("") => "''".to_owned(),
                Some(value) if value == booking.phone => "('+' || :phone)".to_owned(),
                Some(value) if value == booking.reference => "('RMB-' || :reference)".to_owned(),
                Some(value) => {
                    let name = format!("value_{index}_{place}");
                    variables.push(format!("{name}={value}"));
                    format!(":{name}")
                }
            });
            writeln!(script, "{sql};")?;
        }
        let file = directory.join("booking.sql");
        fs::write(&file, script)?;
        let log = directory.join("pgbench");
        Ok(Some(Self { program, file, log, database_url: database_url.to_owned(), variables }))
    }

    /// Runs it this many times on one connection; returns the time of each transaction in seconds.
    pub(crate) async fn run(&self, times: usize) -> Result<Vec<f64>> {
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix"]).arg(&self.log);
        command.arg("--transactions").arg((times + WARM_UP).to_string()).arg("--file").arg(&self.file);
        for variable in &self.variables {
            command.arg("--define").arg(variable);
        }
        let output = command.arg(&self.database_url).kill_on_drop(true);
        let child = output.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn()?;
        let log = self.log.with_extension(child.id().unwrap_or_default().to_string());
        let output = child.wait_with_output().await?;
        let lines = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        let microseconds = lines.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
        let times: Vec<f64> = microseconds.skip(WARM_UP).map(|time| time / 1e6).collect();
        if !output.status.success() || times.is_empty() {
            return Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(times)
    }
}

/// A statement with a text in the place of each of its parameters.
pub(crate) fn filled(statement: &Statement, mut text: impl FnMut(usize, Option<&str>) -> String) -> String {
    let mut sql = statement.sql.trim().to_owned();
    for (place, value) in statement.values.iter().enumerate().rev() {
        let text = text(place, value.as_deref());
        // Postgres has many minus signs, and the text tells no type.
        sql = sql.replace(&format!("-${}", place + 1), &format!("-({text}::bigint)"));
        sql = sql.replace(&format!("${}", place + 1), &text);
    }
    sql
}

/// The path of pgbench: Debian's of the newest version, or one on the `PATH`.
fn program() -> Option<PathBuf> {
    let mut of_debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin/pgbench")).collect())
        .unwrap_or_default();
    of_debian.sort();
    // On Debian the `PATH` leads to a wrapper that needs a cluster of its own; it works as well.
    of_debian.into_iter().rev().chain(on_path("pgbench")).find(|program| program.is_file())
}
