//! Test servers: Secrets Manager played by moto, and a Postgres and a Redis that require passwords.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use redis::IntoConnectionInfo;
use serde_json::{Value, json};
use shared::config::{self, Pace, Settings, Variable};
use sqlx::{Connection, PgConnection};
use testing::{Network, eventually, for_postgres, postgres_programs, random_prefix, redis_program};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    sync::{Barrier, OnceCell},
};

/// A pace with short timeouts and no pause between reads.
pub(crate) const QUICK: Pace = Pace {
    lifetime: Duration::from_hours(1),
    patience: Duration::from_secs(5),
    renewal_patience: Duration::from_secs(5),
    pause: Duration::ZERO,
};

/// Superuser of a [`postgres`].
const OWNER: &str = "postgresql://owner:owner@127.0.0.1";

/// A program that ends with this process, even if that is killed: its shell waits for the end of its stdin.
struct Program {
    _shell: Child,
}

impl Program {
    fn start(command: &str, folder: Option<&Path>) -> Self {
        let clean = folder.map(|folder| format!("rm -rf '{}'", folder.display())).unwrap_or_default();
        let script = format!("{command} >/dev/null 2>&1 & cat >/dev/null; kill $!; wait; {clean}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { _shell: shell.spawn().unwrap() }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn until_it_answers(name: &str, port: u16) {
    eventually(name, async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
}

fn folder() -> PathBuf {
    let folder = env::temp_dir().join(random_prefix().replace(':', "-"));
    fs::create_dir(&folder).unwrap();
    folder
}

/// Secrets Manager behind a [`Network`], with secret names that no other test uses.
pub(crate) struct Aws {
    pub(crate) network: Network,
    pub(crate) port: u16,
    client: reqwest::Client,
    prefix: String,
}

impl Aws {
    /// One moto server serves all tests of a process.
    pub(crate) async fn start() -> Self {
        static MOTO: OnceCell<(u16, Program)> = OnceCell::const_new();
        let start = async || {
            let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            let program =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(target).join("tools/moto/bin/moto_server");
            assert!(program.exists(), "moto is missing: run `python3 local/tools.py test` first");
            let port = free_port();
            let moto = Program::start(&format!("'{}' -p {port}", program.display()), None);
            until_it_answers("moto", port).await;
            (port, moto)
        };
        let (port, _) = MOTO.get_or_init(start).await;
        let network = Network::to(&format!("127.0.0.1:{port}")).await;
        Self { network, port: *port, client: shared::outgoing::client().unwrap(), prefix: random_prefix() }
    }

    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What calls through the network.
    pub(crate) fn config(&self) -> config::Aws {
        at(self.network.port())
    }

    /// What calls through this door.
    pub(crate) async fn config_by(&self, door: Door) -> config::Aws {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, server) = (listener.local_addr().unwrap().port(), self.port);
        let door = Arc::new(door);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let door = Arc::clone(&door);
                tokio::spawn(async move {
                    if door.lets_in(&mut client).await {
                        let mut server = tokio::net::TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        at(port)
    }

    /// Settings with these variables, after one attempt to read Secrets Manager.
    pub(crate) async fn settings(&self, variables: &[(Variable, &str)], pace: Pace) -> Settings {
        let settings = Settings::of(variables, Some(self.config()), pace);
        settings.ready().await;
        settings
    }

    /// Creates or updates a secret.
    pub(crate) async fn put(&self, name: &str, value: impl ToString) {
        let (id, text) = (self.id(name), value.to_string());
        if !self.call("CreateSecret", json!({ "Name": id, "SecretString": text })).await {
            assert!(self.call("PutSecretValue", json!({ "SecretId": id, "SecretString": text })).await);
        }
    }

    /// Bypasses the network, into which tests inject faults. moto reads of a signature only which service is called.
    async fn call(&self, operation: &str, body: Value) -> bool {
        let scope =
            "Credential=test/20260101/ap-south-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=none";
        let request = self.client.post(format!("http://127.0.0.1:{}", self.port)).json(&body);
        let request = request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}"));
        let request = request.header("x-amz-target", format!("secretsmanager.{operation}"));
        request.send().await.unwrap().status().is_success()
    }
}

/// A proxy in front of Secrets Manager.
pub(crate) enum Door {
    /// Forwards once this many callers wait.
    ForTogether(Arc<Barrier>),
    /// Refuses this many calls, as Secrets Manager does above its rate limit.
    Throttles(AtomicUsize),
}

impl Door {
    async fn lets_in(&self, client: &mut tokio::net::TcpStream) -> bool {
        match self {
            Self::ForTogether(barrier) => {
                barrier.wait().await;
                true
            }
            Self::Throttles(left) => {
                if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                    return true;
                }
                let mut request = vec![0; 16 * 1024];
                let _ = client.read(&mut request).await;
                let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
                let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close";
                let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                client.write_all(answer.as_bytes()).await.unwrap();
                false
            }
        }
    }
}

fn at(port: u16) -> config::Aws {
    config::Aws::local(format!("http://127.0.0.1:{port}"))
}

/// A Postgres that requires a password. One server serves all tests of a process.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    _program: Program,
}

pub(crate) async fn postgres() -> &'static Postgres {
    static POSTGRES: OnceCell<Postgres> = OnceCell::const_new();
    POSTGRES.get_or_init(start_postgres).await
}

async fn start_postgres() -> Postgres {
    let (port, folder) = (free_port(), folder());
    fs::write(folder.join("password"), "owner").unwrap();
    let (user, programs, place) = (for_postgres(&folder), postgres_programs(), folder.display());
    let made = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "cd / && {user}{}/initdb -D {place}/data -U owner -A scram-sha-256 --pwfile={place}/password --no-sync --no-locale -E UTF8",
            programs.display()
        ))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let command = format!(
        "exec {user}{}/postgres -D {place}/data -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off",
        programs.display()
    );
    let program = Program::start(&command, Some(&folder));
    eventually("Postgres", async || PgConnection::connect(&format!("{OWNER}:{port}/postgres")).await.is_ok()).await;
    Postgres { port, _program: program }
}

impl Postgres {
    /// Runs a statement as superuser.
    pub(crate) async fn run(&self, statement: &str) {
        let mut owner = PgConnection::connect(&format!("{OWNER}:{}/postgres", self.port)).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut owner).await.unwrap();
    }
}

/// A Redis that requires the password `old`.
pub(crate) struct Redis {
    pub(crate) port: u16,
    _program: Program,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let (port, folder, program) = (free_port(), folder(), redis_program());
        let command = format!(
            "exec {} --port {port} --requirepass old --save '' --bind 127.0.0.1 --dir {}",
            program.display(),
            folder.display()
        );
        let program = Program::start(&command, Some(&folder));
        until_it_answers("Redis", port).await;
        Self { port, _program: program }
    }

    /// Runs a command as the default user, who may run any.
    pub(crate) async fn run(&self, password: &str, command: &[&str]) {
        let info = format!("redis://127.0.0.1:{}", self.port).into_connection_info().unwrap();
        let settings = info.redis_settings().clone().set_password(password);
        let client = redis::Client::open(info.set_redis_settings(settings)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).exec_async(&mut connection).await.unwrap();
    }

    /// Changes the password and ends all connections.
    pub(crate) async fn change_password(&self, old: &str, new: &str) {
        self.run(old, &["CONFIG", "SET", "requirepass", new]).await;
        self.run(new, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    }
}
