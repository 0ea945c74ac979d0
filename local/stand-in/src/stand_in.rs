//! Handle of a running stand-in.

use std::{io, net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc};

use tokio::{net::TcpListener, sync::watch};

use crate::{
    door::{self, Door},
    service::Service,
};

/// A running stand-in, which dereferences to its service. It stops when it is dropped.
#[derive(Debug)]
pub struct StandIn<S: Service> {
    url: String,
    door: Arc<Door<S>>,
    stop: watch::Sender<()>,
}

impl<S: Service> StandIn<S> {
    /// Starts on a free port of this machine, with the default settings.
    ///
    /// # Panics
    ///
    /// When the machine has no port left.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), S::Settings::default()).await.expect("there is a free port")
    }

    /// Starts at an address, without a state file.
    pub async fn start_at(address: SocketAddr, settings: S::Settings) -> io::Result<Self> {
        Self::start_with(address, settings, None).await
    }

    /// Starts at an address with the state in the file, and saves every change to it.
    pub async fn start_keeping(address: SocketAddr, settings: S::Settings, file: PathBuf) -> io::Result<Self> {
        Self::start_with(address, settings, Some(file)).await
    }

    pub(crate) async fn start_with(
        address: SocketAddr,
        settings: S::Settings,
        file: Option<PathBuf>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = S::open(settings, file, &url).await?;
        let stand_in = Self { url, door: Arc::new(Door::new(service)), stop: watch::Sender::new(()) };
        stand_in.serve(listener);
        stand_in.begin(stand_in.stop.subscribe());
        Ok(stand_in)
    }

    /// Serves at another address too: `localhost` has an IPv4 and an IPv6 address.
    pub async fn also_at(&self, address: SocketAddr) -> io::Result<()> {
        self.serve(TcpListener::bind(address).await?);
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        tokio::spawn(door::serve(listener, Arc::clone(&self.door), self.stop.subscribe()));
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Injects a fault into the next calls to exactly this path.
    pub fn spoil(&self, path: &str, fault: S::Fault) {
        self.door.faults.add(path, fault);
    }

    /// Removes all pending faults.
    pub fn clear_faults(&self) {
        self.door.faults.clear();
    }

    /// Number of calls to this path, including those with a fault.
    pub fn calls(&self, path: &str) -> usize {
        self.door.arrivals.count(path)
    }

    /// The latest calls in order of arrival, each as `METHOD /path`.
    pub fn all_calls(&self) -> Vec<String> {
        self.door.arrivals.all()
    }
}

impl<S: Service> Deref for StandIn<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.door.service
    }
}
