//! A Django service that answers the same requests as the functions: gunicorn with its workers, called over HTTP.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{Result, cores::Core, instance::time_on_a_core};

/// A timeout that no start and no request reaches.
const PATIENCE: Duration = Duration::from_mins(1);
/// The polling interval of its start.
const A_MOMENT: Duration = Duration::from_millis(50);

/// The folder of Django's programs, which `make bench` installs beside the binaries.
#[derive(Debug)]
pub(crate) struct Installation(PathBuf);

impl Installation {
    pub(crate) fn find() -> Result<Option<Self>> {
        let here = std::env::current_exe()?;
        let built = here.ancestors().find(|directory| directory.join("tools/django/bin/gunicorn").is_file());
        Ok(built.map(|directory| Self(directory.join("tools/django/bin"))))
    }

    /// The installed versions, as text.
    pub(crate) async fn versions(&self) -> Result<String> {
        let script =
            "import django, platform; print('Django', django.__version__, 'on Python', platform.python_version())";
        let output = Command::new(self.0.join("python")).args(["-c", script]).output().await?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// The running service.
#[derive(Debug)]
pub(crate) struct Django {
    master: Child,
    address: SocketAddr,
}

impl Django {
    /// Starts it on this core; returns when it accepts requests. Its output is appended to `log`.
    pub(crate) async fn start(
        installation: &Installation,
        core: &Core,
        workers: usize,
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        // The port was free a moment ago, and nothing else here requests one now.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = core.command(&installation.0.join("gunicorn"));
        command
            .args(["config.wsgi:application", "--bind", &address.to_string(), "--workers", &workers.to_string()])
            // By default gunicorn keeps a socket in the home directory.
            .args(["--no-control-socket", "--chdir", concat!(env!("CARGO_MANIFEST_DIR"), "/django")])
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let mut django = Self { master: command.spawn()?, address };
        timeout(PATIENCE, async {
            while TcpStream::connect(address).await.is_err() || django.workers()?.len() < workers {
                if let Some(status) = django.master.try_wait()? {
                    return Err(format!("gunicorn ended at its start, see its log: {status}").into());
                }
                sleep(A_MOMENT).await;
            }
            Ok(django)
        })
        .await?
    }

    /// Sends a request over a new connection, as sync workers need it; returns status and body.
    pub(crate) async fn send(&self, request: &str) -> Result<(u64, String)> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::with_capacity(8192);
            stream.read_to_end(&mut answer).await?;
            Ok(answer)
        };
        read(timeout(PATIENCE, exchange).await?)
    }

    /// CPU time of gunicorn and its workers.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let mut time = time_on_a_core(self.process()?)?;
        for worker in self.workers()? {
            time += time_on_a_core(worker)?;
        }
        Ok(time)
    }

    /// Stops gunicorn and its workers.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.process()?.to_string()).status().await?;
        timeout(PATIENCE, self.master.wait()).await??;
        Ok(())
    }

    fn workers(&self) -> Result<Vec<u32>> {
        let process = self.process()?;
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
        children.split_whitespace().map(|child| Ok(child.parse()?)).collect()
    }

    fn process(&self) -> Result<u32> {
        Ok(self.master.id().ok_or("gunicorn has ended")?)
    }
}

/// Status and body. The answer ends with its connection.
fn read(answer: std::io::Result<Vec<u8>>) -> Result<(u64, String)> {
    let answer = String::from_utf8(answer?)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer of gunicorn ended early")?;
    let status = head.split(' ').nth(1).ok_or("the answer of gunicorn has no status")?;
    Ok((status.parse()?, body.to_owned()))
}
