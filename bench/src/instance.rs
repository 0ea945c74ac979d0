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

/// Resident memory of a function, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) peak: u64,
    /// Pages of its binary.
    pub(crate) binary: u64,
    /// Those of them that can be executed.
    pub(crate) code: u64,
    /// Pages of libc and its kin.
    pub(crate) libraries: u64,
    pub(crate) heap: u64,
    /// Stacks, and blocks that malloc maps by themselves.
    pub(crate) rest: u64,
}

impl Memory {
    /// Adds up `/proc/PID/smaps`.
    fn of(smaps: &str, binary: &str) -> Self {
        let mut memory = Self::default();
        let (mut file, mut is_code) = (String::new(), false);
        for line in smaps.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["Rss:", kilobytes, ..] => {
                    let bytes = 1024 * kilobytes.parse::<u64>().unwrap_or_default();
                    memory.add(&file, is_code, bytes, binary);
                }
                // Addresses, rights, offset, device, inode, file.
                [addresses, rights, _, _, _, name @ ..] if addresses.contains('-') => {
                    (file, is_code) = (name.join(" "), rights.contains('x'));
                }
                _ => {}
            }
        }
        memory
    }

    fn add(&mut self, file: &str, is_code: bool, bytes: u64, binary: &str) {
        let part = match file {
            file if file == binary => {
                self.code += if is_code { bytes } else { 0 };
                &mut self.binary
            }
            file if file.starts_with('/') => &mut self.libraries,
            "[heap]" => &mut self.heap,
            _ => &mut self.rest,
        };
        *part += bytes;
    }
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

    /// Asks the process to end; returns when it has.
    pub(crate) async fn terminate(mut self) -> Result<()> {
        Command::new("kill").arg(self.process()?.to_string()).status().await?;
        self.child.wait().await?;
        Ok(())
    }

    /// Peak resident memory of the process, pages of its binary included, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
        Ok(kilobytes * 1024)
    }

    /// What is in memory now, and the peak.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let process = self.process()?;
        let binary = fs::read_link(format!("/proc/{process}/exe"))?;
        let smaps = fs::read_to_string(format!("/proc/{process}/smaps"))?;
        Ok(Memory { peak: self.peak_memory()?, ..Memory::of(&smaps, &binary.to_string_lossy()) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_by_what_it_holds() {
        let smaps = "\
5600-5700 r--p 00000000 fe:01 17   /f/bookings
Rss:                   8 kB
5700-5800 r-xp 00002000 fe:01 17   /f/bookings
Rss:                  16 kB
5900-5a00 rw-p 00000000 00:00 0    [heap]
Rss:                  32 kB
7f00-7f10 r-xp 00000000 fe:01 18   /lib/libc.so.6
Rss:                  64 kB
7f20-7f30 rw-p 00000000 00:00 0
Rss:                 128 kB
";
        let of = |kilobytes: u64| kilobytes * 1024;
        let expected = Memory { peak: 0, binary: of(24), code: of(16), libraries: of(64), heap: of(32), rest: of(128) };
        assert_eq!(Memory::of(smaps, "/f/bookings"), expected);
    }
}
