//! Lambda's Runtime API for one process: its calls, and when they came.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

const VERSION: &str = "/2018-06-01/runtime";

/// A call by the process.
#[derive(Debug)]
pub(crate) enum Call {
    /// It is ready for an event.
    Next {
        /// When the call came.
        at: Instant,
        /// Takes the event for the process.
        reply: oneshot::Sender<String>,
    },
    /// It has answered the event.
    Response {
        /// From sending the event to receiving the whole answer.
        time: Duration,
        body: Vec<u8>,
    },
    /// It has failed, at its start or with an event.
    Error {
        /// The error as JSON.
        body: Vec<u8>,
    },
}

/// The Runtime API of one process.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    pub(crate) calls: mpsc::UnboundedReceiver<Call>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (sender, calls) = mpsc::unbounded_channel();
        let address = listener.local_addr()?;
        let handed = Arc::new(Mutex::new(Instant::now()));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Connection { sender: sender.clone(), handed: Arc::clone(&handed) };
                tokio::spawn(connection.serve(stream));
            }
        });
        Ok(Self { address, calls, server })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Connection {
    sender: mpsc::UnboundedSender<Call>,
    /// When the current event was sent. Shared, because the answer may come over another connection.
    handed: Arc<Mutex<Instant>>,
}

impl Connection {
    /// Serves until the process or the bench ends.
    async fn serve(self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut stream = BufReader::new(stream);
        loop {
            let (line, body) = read_request(&mut stream).await.ok()??;
            let at = Instant::now();
            let path = line.split(' ').nth(1).and_then(|path| path.strip_prefix(VERSION)).unwrap_or_default();
            if path == "/invocation/next" {
                let (reply, event) = oneshot::channel();
                self.sender.send(Call::Next { at, reply }).ok()?;
                let answer = with_event(&event.await.ok()?);
                *self.handed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                stream.write_all(answer.as_bytes()).await.ok()?;
                continue;
            }
            let time = at - *self.handed.lock().unwrap_or_else(PoisonError::into_inner);
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.ok()?;
            let call = if path.ends_with("/response") { Call::Response { time, body } } else { Call::Error { body } };
            self.sender.send(call).ok()?;
        }
    }
}

/// Reads the request line and the body; `None` at the end of the connection.
pub(crate) async fn read_request(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut request = String::new();
    if stream.read_line(&mut request).await? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(io::Error::other("an answer in chunks was not expected"));
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some((request, body)))
}

fn with_event(event: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + Duration::from_mins(1)).as_millis();
    let id = format!("00000000-0000-4000-8000-{:012x}", now.as_micros() & 0xffff_ffff_ffff);
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:ap-south-1:000000000000:function:bench\r\n\
         lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n\r\n{event}",
        event.len()
    )
}
