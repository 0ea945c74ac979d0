//! A TCP proxy in front of a server: counts the traffic and injects network faults.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// A network fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Delays every piece of data.
    Slow(Duration),
    /// The server is stopped: connections end, new ones are refused.
    Stopped,
    /// Drops all data silently; connections hang.
    BlackHole,
    /// The server gets each request, but its answer is lost with the connection.
    LostAnswers,
}

/// A proxy to a server on this machine. It ends with the test.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    server: watch::Sender<String>,
    fault: watch::Sender<Fault>,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default)]
struct Traffic {
    connections: AtomicUsize,
    requests: AtomicUsize,
    answers_to_lose: AtomicUsize,
}

impl Network {
    /// A proxy to the server at `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (server, servers) = watch::channel(server.to_owned());
        let (fault, faults) = watch::channel(Fault::None);
        let traffic = Arc::new(Traffic::default());
        tokio::spawn(listen(listener, address, servers, faults, Arc::clone(&traffic)));
        Self { address, server, fault, traffic }
    }

    /// A proxy to the server of this URL, and the URL that leads through it.
    pub async fn to_url(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").unwrap();
        let authority = rest.split(['/', '?']).next().unwrap();
        let host = authority.rsplit('@').next().unwrap();
        let default_port = if scheme.starts_with("redis") { 6379 } else { 5432 };
        let server = if host.contains(':') { host.to_owned() } else { format!("{host}:{default_port}") };
        let network = Self::to(&server).await;
        let url = url.replacen(host, &network.address.to_string(), 1);
        (network, url)
    }

    /// The port of the proxy, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets the fault, or ends it with [`Fault::None`].
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Loses the next answer with its connection, after the server got the request.
    pub fn lose_an_answer(&self) {
        self.traffic.answers_to_lose.store(1, Ordering::SeqCst);
    }

    /// Sends new connections to another server, at `host:port`. Open connections stay.
    pub fn redirect(&self, server: &str) {
        self.server.send_replace(server.to_owned());
    }

    /// Number of connections made.
    pub fn connections(&self) -> usize {
        self.traffic.connections.load(Ordering::SeqCst)
    }

    /// Number of pieces of data that clients sent: the round trips, if each request fits into a packet.
    pub fn requests(&self) -> usize {
        self.traffic.requests.load(Ordering::SeqCst)
    }
}

async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    servers: watch::Receiver<String>,
    mut faults: watch::Receiver<Fault>,
    traffic: Arc<Traffic>,
) {
    let mut listener = Some(listener);
    loop {
        let is_stopped = *faults.borrow_and_update() == Fault::Stopped;
        if is_stopped {
            listener = None;
            if faults.changed().await.is_err() {
                return;
            }
            continue;
        }
        if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.unwrap());
        }
        let Some(open) = &listener else { continue };
        tokio::select! {
            accepted = open.accept() => {
                traffic.connections.fetch_add(1, Ordering::SeqCst);
                let (client, _) = accepted.unwrap();
                tokio::spawn(join(client, servers.borrow().clone(), faults.clone(), Arc::clone(&traffic)));
            }
            changed = faults.changed() => if changed.is_err() { return },
        }
    }
}

async fn join(client: TcpStream, server: String, faults: watch::Receiver<Fault>, traffic: Arc<Traffic>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    // When one direction ends, both do.
    tokio::select! {
        _ = pass(client_in, server_out, faults.clone(), &traffic, Direction::Requests) => {}
        _ = pass(server_in, client_out, faults, &traffic, Direction::Answers) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Requests,
    Answers,
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut faults: watch::Receiver<Fault>,
    traffic: &Traffic,
    direction: Direction,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = tokio::select! {
            length = from.read(&mut buffer) => length?,
            stopped = faults.wait_for(|fault| *fault == Fault::Stopped) => {
                drop(stopped);
                return Ok(());
            }
        };
        if length == 0 {
            return Ok(());
        }
        if direction == Direction::Requests {
            traffic.requests.fetch_add(1, Ordering::SeqCst);
        } else if traffic.answers_to_lose.swap(0, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        let fault = *faults.borrow();
        match fault {
            Fault::Stopped => return Ok(()),
            Fault::BlackHole => {
                // The connection hangs: its loss shows only when the server is stopped.
                let _ = faults.wait_for(|fault| *fault == Fault::Stopped).await;
                return Ok(());
            }
            Fault::LostAnswers if direction == Direction::Answers => return Ok(()),
            Fault::Slow(delay) => tokio::time::sleep(delay).await,
            Fault::LostAnswers | Fault::None => {}
        }
        to.write_all(buffer.get(..length).unwrap_or_default()).await?;
    }
}
