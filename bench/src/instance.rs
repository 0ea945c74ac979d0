//! An execution environment of Lambda: a function's process, from its start to its end.

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

/// A timeout that no event reaches.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running function.
#[derive(Debug)]
pub struct Instance {
    /// From the start of the process to its request for the first event.
    pub init: Duration,
    child: Child,
    api: RuntimeApi,
    waiting: Option<oneshot::Sender<String>>,
}

/// A function's answer to an event.
#[derive(Debug)]
pub struct Answer {
    /// From sending the event to receiving the answer: what Lambda bills, before rounding.
    pub time: Duration,
    pub body: Value,
}

impl Instance {
    /// Starts a process with this environment only; returns when it requests its first event. Its output is appended to
    /// `log`.
    pub async fn start(binary: &Path, environment: &[(String, String)], log: &Path) -> Result<Self> {
        Self::start_on(None, binary, environment, log).await
    }

    /// The same on one core, if given.
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

    /// Sends an event and waits for the answer.
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

    /// Kills the process; returns when it uses no more CPU time.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Peak resident memory of the process, pages of its binary included, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
        Ok(kilobytes * 1024)
    }

    /// CPU time of its threads.
    pub fn cpu_time(&self) -> Result<Duration> {
        time_on_a_core(self.process()?)
    }

    fn process(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the function has ended")?)
    }
}

/// CPU time of a process: the time that its threads have been on a core.
pub(crate) fn time_on_a_core(process: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while its time is read.
        let Ok(times) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += times.split_whitespace().next().ok_or("no time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
