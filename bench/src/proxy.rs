//! A TCP proxy that counts round trips: how often the client waited for the server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A proxy in front of one server.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    turns: AtomicUsize,
    /// What clients sent, by connection.
    sent: Mutex<Vec<Vec<u8>>>,
}

/// The side that sent last on a connection.
const CLIENT: u8 = 1;
const SERVER: u8 = 2;

impl Proxy {
    /// Starts a proxy in front of `upstream`, as `host:port`.
    pub async fn start(upstream: String) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Seen>::default();
        let shared = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&shared)));
            }
        });
        Ok(Self { address, seen, server })
    }

    /// The number of round trips: a client sends something, and the server answers before the client sends more.
    pub fn turns(&self) -> usize {
        self.seen.turns.load(Ordering::Relaxed)
    }

    /// All bytes that clients sent, by connection.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.seen.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(client: TcpStream, upstream: String, seen: Arc<Seen>) -> io::Result<()> {
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let connection = {
        let mut sent = seen.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(Vec::new());
        sent.len() - 1
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let last = AtomicU8::new(SERVER);
    let asked = |bytes: &[u8]| {
        if last.swap(CLIENT, Ordering::Relaxed) == SERVER {
            seen.turns.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(sent) = seen.sent.lock().unwrap_or_else(PoisonError::into_inner).get_mut(connection) {
            sent.extend_from_slice(bytes);
        }
    };
    let answered = |_: &[u8]| last.store(SERVER, Ordering::Relaxed);
    tokio::select! {
        ended = copy(from_client, to_server, asked) => ended,
        ended = copy(from_server, to_client, answered) => ended,
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut note: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        note(bytes);
        to.write_all(bytes).await?;
    }
}
