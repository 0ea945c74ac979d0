//! One execution environment: a function's process, from its start to its end.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::oneshot,
};

use crate::{
    Result,
    cores::Core,
    runtime_api::{Call, RuntimeApi},
};

/// Longer than any event may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running function.
#[derive(Debug)]
pub struct Instance {
    /// From the start of the process to its asking for the first event.
    pub init: Duration,
    child: Child,
    api: RuntimeApi,
    waiting: Option<oneshot::Sender<String>>,
}

/// What a function made of an event.
#[derive(Debug)]
pub struct Answer {
    /// From the event handed over to the answer received: what Lambda bills, but for the rounding.
    pub time: Duration,
    /// The answer.
    pub body: Value,
}

impl Instance {
    /// Starts a process with this environment alone; returns when it asks for its first event. What it prints is added
    /// to `log`.
    pub async fn start(binary: &Path, environment: &[(String, String)], log: &Path) -> Result<Self> {
        Self::start_on(None, binary, environment, log).await
    }

    /// The same on one core, if there is one to be on.
    pub(crate) async fn start_on(
        core: Option<&Core>,
        binary: &Path,
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let mut api = RuntimeApi::start().await?;
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = core.map_or_else(|| Command::new(binary), |core| core.command(binary));
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let born = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{} does not start: {error}", binary.display()))?;
        tokio::select! {
            call = api.calls.recv() => match call {
                Some(Call::Next { at, reply }) => Ok(Self { init: at - born, child, api, waiting: Some(reply) }),
                call => Err(format!("{} failed at its start: {call:?}", binary.display()).into()),
            },
            status = child.wait() => Err(format!("{} ended at its start: {}", binary.display(), status?).into()),
        }
    }

    /// Hands an event over and waits for the answer.
    pub async fn invoke(&mut self, event: String) -> Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(event)).await?
    }

    async fn exchange(&mut self, event: String) -> Result<Answer> {
        let ready = match self.waiting.take() {
            Some(ready) => ready,
            None => match self.next_call().await? {
                Call::Next { reply, .. } => reply,
                call => return Err(format!("an event was to be asked for, not {call:?}").into()),
            },
        };
        ready.send(event).map_err(|_| "the function has gone away")?;
        match self.next_call().await? {
            Call::Response { time, body } => Ok(Answer { time, body: serde_json::from_slice(&body)? }),
            Call::Error { body } => Err(format!("the function failed: {}", String::from_utf8_lossy(&body)).into()),
            Call::Next { .. } => Err("the function did not answer".into()),
        }
    }

    async fn next_call(&mut self) -> Result<Call> {
        tokio::select! {
            call = self.api.calls.recv() => Ok(call.ok_or("the Runtime API has ended")?),
            status = self.child.wait() => Err(format!("the function ended: {}", status?).into()),
        }
    }

    /// Ends the process, and returns when nothing of it takes time any more.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The most memory that the process ever had in RAM, pages of its binary included, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
        Ok(kilobytes * 1024)
    }

    /// How long its threads have been on a core.
    pub fn cpu_time(&self) -> Result<Duration> {
        time_on_a_core(self.process()?)
    }

    fn process(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the function has ended")?)
    }
}

/// How long the threads of a process have been on a core.
pub(crate) fn time_on_a_core(process: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while its time is read.
        let Ok(times) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += times.split_whitespace().next().ok_or("no time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
