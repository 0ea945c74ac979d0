//! A stand-in as tests hold it.

use std::{io, net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc};

use tokio::{net::TcpListener, sync::watch};

use crate::{
    door::{self, Door},
    service::Service,
};

/// A running stand-in, with all that its service can do. It stops when it is dropped.
#[derive(Debug)]
pub struct StandIn<S: Service> {
    url: String,
    door: Arc<Door<S>>,
    stop: watch::Sender<()>,
}

impl<S: Service> StandIn<S> {
    /// Starts on a free port of this machine, with the usual settings.
    ///
    /// # Panics
    ///
    /// When the machine has no port left.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), S::Settings::default()).await.expect("there is a free port")
    }

    /// Starts at an address. It keeps nothing.
    pub async fn start_at(address: SocketAddr, settings: S::Settings) -> io::Result<Self> {
        Self::start_with(address, settings, None).await
    }

    /// Starts at an address with what the file holds, and writes it after every change.
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

    /// Serves the same at another address too: `localhost` has two.
    pub async fn also_at(&self, address: SocketAddr) -> io::Result<()> {
        self.serve(TcpListener::bind(address).await?);
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        tokio::spawn(door::serve(listener, Arc::clone(&self.door), self.stop.subscribe()));
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Spoils the next calls of exactly this path.
    pub fn spoil(&self, path: &str, fault: S::Fault) {
        self.door.faults.add(path, fault);
    }

    /// Lets all calls pass again.
    pub fn clear_faults(&self) {
        self.door.faults.clear();
    }

    /// How many calls of this path arrived, spoiled ones too.
    pub fn calls(&self, path: &str) -> usize {
        self.door.arrivals.count(path)
    }

    /// The calls in order of arrival, each as `METHOD /path`.
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
