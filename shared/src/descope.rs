//! The client of Descope: a method per call, errors classified in one place, tokens verified locally.

mod calls;
mod channel;
mod failure;
mod keys;
mod management;
mod token;
mod user;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use channel::Channel;
pub use failure::SERVICE;
pub use keys::Keys;
pub use token::{Claims, Kind};
pub use user::{SignedIn, User};

use crate::{
    config::{self, Live, Settings, Variable},
    outgoing,
};
use failure::{Failure, Refusal};

/// Delay before the only retry of a call that is safe to repeat.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of Descope. Clones share connections; nothing is connected before the first call.
#[derive(Clone, Debug)]
pub struct Descope {
    http: Client,
    base_url: String,
    project_id: String,
    keys: Live<ProjectKeys>,
}

/// The keys that authenticate us as the project's backend.
struct ProjectKeys {
    management: SecretString,
    /// Needed for the authentication methods, in a project that lets only its backend call them.
    auth_management: Option<SecretString>,
}

/// Whether a call can be retried if it may have been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// Idempotent: it changes nothing, or the same thing again.
    Safely,
    /// Only if it was certainly not received: a message is sent once, a code is tried once.
    IfUnsent,
}

/// Lookups come from Descope's caches, and a request that needs one must still be answered in time.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// The identity that a call is made with.
#[derive(Clone, Copy)]
enum As<'a> {
    /// No user.
    Anyone,
    /// The user of this refresh token.
    Holder(&'a str),
    /// The project, by its management key.
    Manager,
}

impl As<'_> {
    /// Whether a refusal is of our own credential, not of the user's token, password or code.
    fn is_refused_by(self, refusal: &Refusal) -> bool {
        match self {
            Self::Anyone => refusal.is_unauthorized(),
            Self::Holder(_) => false,
            Self::Manager => refusal.status == StatusCode::UNAUTHORIZED,
        }
    }
}

impl Descope {
    /// Reads `DESCOPE_PROJECT_ID`, `DESCOPE_MANAGEMENT_KEY`, `DESCOPE_AUTH_MANAGEMENT_KEY` and `DESCOPE_BASE_URL`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let project_id = config::required(config::DESCOPE_PROJECT_ID)?;
        let base_url = config::optional(config::DESCOPE_BASE_URL);
        let base_url = base_url.unwrap_or_else(|| default_base_url(project_id.trim()));
        Self::with_keys_of(settings, &base_url, project_id.trim())
    }

    /// A client of one project, whose keys come from settings.
    pub fn with_keys_of(settings: &Settings, base_url: &str, project_id: &str) -> Result<Self, config::Error> {
        let keys = settings.live(|values| {
            let auth_management = values.optional(config::DESCOPE_AUTH_MANAGEMENT_KEY)?;
            Ok(ProjectKeys {
                management: values.required(config::DESCOPE_MANAGEMENT_KEY)?.trim().into(),
                auth_management: auth_management.map(|key| key.trim().into()),
            })
        })?;
        Self::with(base_url, project_id, keys)
    }

    /// A client of one project.
    pub fn new(base_url: &str, project_id: &str, management_key: &str) -> Result<Self, config::Error> {
        let keys = ProjectKeys { management: management_key.into(), auth_management: None };
        Self::with(base_url, project_id, Live::fixed(keys))
    }

    fn with(base_url: &str, project_id: &str, keys: Live<ProjectKeys>) -> Result<Self, config::Error> {
        const BASE_URL: Variable = config::DESCOPE_BASE_URL;
        let base_url = base_url.trim().trim_end_matches('/');
        if !base_url.starts_with("https://") && !base_url.starts_with("http://") {
            return Err(BASE_URL.invalid());
        }
        Ok(Self {
            http: outgoing::client().map_err(|_| BASE_URL.invalid())?,
            base_url: base_url.to_owned(),
            project_id: project_id.to_owned(),
            keys,
        })
    }

    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The project's address: URL and id.
    fn address(&self) -> String {
        format!("{}/{}", self.base_url, self.project_id)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // The headers of Descope's own SDKs: a backend may have a higher rate limit.
        self.http
            .request(method, format!("{}{path}", self.base_url))
            .header("x-descope-sdk-name", "rust")
            .header("x-descope-sdk-version", env!("CARGO_PKG_VERSION"))
            .header("x-descope-project-id", &self.project_id)
    }

    /// Sends a request. If our key is refused and another is known by now, the request is retried: the refused one has
    /// done nothing.
    async fn call<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        caller: As<'_>,
        repeat: Repeat,
    ) -> Result<T, Failure> {
        let keys = self.keys.get()?;
        let again = request.try_clone();
        let answer = send(request.bearer_auth(self.bearer(caller, &keys)), repeat).await;
        let is_refused = match (&answer, caller) {
            (Err(Failure::Refused(refusal)), As::Manager) => caller.is_refused_by(refusal),
            (Err(Failure::Refused(refusal)), _) => keys.auth_management.is_some() && refusal.is_unauthorized(),
            _ => false,
        };
        let answer = match (again, is_refused) {
            (Some(request), true) => match self.keys.instead_of(&keys).await {
                Some(keys) => send(request.bearer_auth(self.bearer(caller, &keys)), repeat).await,
                None => answer,
            },
            _ => answer,
        };
        match answer {
            Err(Failure::Refused(refusal)) if caller.is_refused_by(&refusal) => Err(Failure::KeyRefused),
            answer => answer,
        }
    }

    fn bearer(&self, caller: As<'_>, keys: &ProjectKeys) -> String {
        // In a project that lets only its backend call the authentication methods, this key comes last.
        let last = keys.auth_management.as_ref().map(|key| format!(":{}", key.expose_secret())).unwrap_or_default();
        match caller {
            As::Anyone => format!("{}{last}", self.project_id),
            As::Holder(refresh_token) => format!("{}:{refresh_token}{last}", self.project_id),
            As::Manager => format!("{}:{}", self.project_id, keys.management.expose_secret()),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, caller: As<'_>) -> Result<T, Failure> {
        self.call(self.request(Method::GET, path).timeout(LOOK_TIMEOUT), caller, Repeat::Safely).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        caller: As<'_>,
        body: &Value,
        repeat: Repeat,
    ) -> Result<T, Failure> {
        self.call(self.request(Method::POST, path).json(body), caller, repeat).await
    }
}

async fn send<T: DeserializeOwned>(request: RequestBuilder, repeat: Repeat) -> Result<T, Failure> {
    let again = request.try_clone();
    let answer = attempt(request).await;
    let may_be_repeated = match &answer {
        Err(Failure::NotSent(_)) => true,
        Err(Failure::Unavailable(_)) => repeat == Repeat::Safely,
        _ => false,
    };
    match again {
        Some(request) if may_be_repeated => {
            tokio::time::sleep(PAUSE).await;
            attempt(request).await
        }
        _ => answer,
    }
}

async fn attempt<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await?;
    let status = response.status();
    let retry_after = failure::retry_after(response.headers());
    let body = response.bytes().await?;
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::TooMany { retry_after_seconds: retry_after });
    }
    if !status.is_success() {
        return Err(Failure::of(status, &body));
    }
    // Some calls answer with an empty body.
    let body = if body.is_empty() { b"{}".as_slice() } else { &body };
    serde_json::from_slice(body).map_err(|_| Failure::Unavailable("an answer that cannot be read".to_owned()))
}

/// A long project id names the region of the project.
fn default_base_url(project_id: &str) -> String {
    match project_id.get(1..5) {
        Some(region) if project_id.len() >= 32 => format!("https://api.{region}.descope.com"),
        _ => "https://api.descope.com".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Descope, default_base_url};

    #[test]
    fn a_long_project_id_names_the_region() {
        assert_eq!(default_base_url("P2localrepairmybike000000000"), "https://api.descope.com");
        assert_eq!(default_base_url("Peuc12localrepairmybike000000000"), "https://api.euc1.descope.com");
    }

    #[test]
    fn the_management_key_does_not_show_in_debug_output() {
        let descope = Descope::new("http://localhost:1/", "P1", "very-secret").unwrap();
        assert!(!format!("{descope:?}").contains("very-secret"));
        assert!(Descope::new("localhost", "P1", "key").is_err());
    }
}
