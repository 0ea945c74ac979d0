//! The stand-in as tests hold it.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task};

use crate::{
    Fault, MANAGEMENT_KEY, Message, PROJECT_ID, Settings,
    server::{self, Shared},
    sessions,
    state::State,
    tokens::{Key, Keys},
};

/// A running stand-in. It stops when it is dropped.
#[derive(Debug)]
pub struct StandIn {
    url: String,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
}

impl StandIn {
    /// Starts on a free port of this machine, with the usual settings.
    ///
    /// # Panics
    ///
    /// When the machine has no port left.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), Settings::default()).await.expect("there is a free port")
    }

    /// Starts at an address. It keeps nothing.
    pub async fn start_at(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        Self::start_with(address, settings, None).await
    }

    /// Starts at an address with what the file holds, and writes it after every change.
    pub async fn start_keeping(address: SocketAddr, settings: Settings, file: PathBuf) -> io::Result<Self> {
        Self::start_with(address, settings, Some(file)).await
    }

    async fn start_with(address: SocketAddr, settings: Settings, file: Option<PathBuf>) -> io::Result<Self> {
        let kept = file.as_deref().map(State::load).transpose()?.flatten();
        let mut state = match kept {
            Some(state) => state,
            None => State::new(Keys::new(task::spawn_blocking(Key::first).await.map_err(io::Error::other)?)),
        };
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        state.settings = settings;
        state.url.clone_from(&url);
        let shared = Arc::new(Shared::new(state, file));
        // The keys of a first start must not be others after the second.
        shared.change(|_| ())?;
        let stand_in = Self { url, shared, stop: watch::Sender::new(()) };
        stand_in.serve(listener);
        Ok(stand_in)
    }

    /// Serves the same at another address too: `localhost` has two.
    pub async fn also_at(&self, address: SocketAddr) -> io::Result<()> {
        self.serve(TcpListener::bind(address).await?);
        Ok(())
    }

    fn serve(&self, listener: TcpListener) {
        tokio::spawn(server::serve(listener, Arc::clone(&self.shared), self.stop.subscribe()));
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The id of the only project.
    pub fn project_id(&self) -> &'static str {
        PROJECT_ID
    }

    /// The management key of the project.
    pub fn management_key(&self) -> &'static str {
        MANAGEMENT_KEY
    }

    /// Changes the settings, from the next call on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.look().settings);
    }

    /// Puts the stand-in's clock forward: codes, links and tokens expire without a wait.
    pub fn advance(&self, by: Duration) {
        self.shared.look().advance(by);
    }

    /// Signs with a new key from now on. The old one stays published, or its tokens are no good any more.
    pub fn rotate_key(&self, keeps_old: bool) {
        let key = Key::generate();
        self.keep(|state| state.keys.rotate(key, keeps_old));
    }

    /// Spoils the next calls of exactly this path, by any method.
    pub fn spoil(&self, path: &str, fault: Fault) {
        self.shared.look().faults.add(path, fault);
    }

    /// Lets all calls pass again.
    pub fn clear_faults(&self) {
        self.shared.look().faults.clear();
    }

    /// How many calls of this path arrived, spoiled ones too.
    pub fn calls(&self, path: &str) -> usize {
        self.shared.look().arrivals.count(path)
    }

    /// The calls in order of arrival, each as `METHOD /path`.
    pub fn all_calls(&self) -> Vec<String> {
        self.shared.look().arrivals.all()
    }

    /// What would have been sent to this address, newest first.
    pub fn inbox(&self, to: &str) -> Vec<Message> {
        self.shared.look().inbox.to(Some(to))
    }

    /// A token with any header and claims, signed by the present key with RS256 whatever the header says.
    #[expect(clippy::needless_pass_by_value, reason = "so that a call can be written with two json!(…)")]
    pub fn sign(&self, header: Value, claims: Value) -> String {
        self.shared.look().keys.sign(&header, &claims)
    }

    /// The id of the present key.
    pub fn kid(&self) -> String {
        self.shared.look().keys.kid().to_owned()
    }

    /// The present public key in PEM.
    pub fn public_key(&self) -> Vec<u8> {
        self.shared.look().keys.present().public_pem().into_bytes()
    }

    /// The claims of a good session token of this user, who need not exist.
    pub fn session_claims(&self, user_id: &str) -> Value {
        sessions::sample_claims(&self.shared.look(), user_id)
    }

    /// The user with this login id, as the API shows it.
    pub fn user(&self, login_id: &str) -> Option<Value> {
        self.shared.look().users.by_login_id(login_id).map(crate::users::User::to_json)
    }

    /// Gives the user with this login id these roles, known or not. Does nothing if there is no such user.
    pub fn set_roles(&self, login_id: &str, roles: &[&str]) {
        self.keep(|state| {
            if let Some(user) = state.users.by_login_id_mut(login_id) {
                user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
            }
        });
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    fn keep(&self, change: impl FnOnce(&mut State)) {
        self.shared.change(change).expect("the state can be written");
    }
}
