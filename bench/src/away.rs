//! A cold start as AWS has it: servers behind TLS and a network, secrets in a Secrets Manager that takes its time.
//!
//! A function is measured in turns with a bare one that makes the same handshakes one after another.

mod distance;
mod secrets_manager;
mod timeline;
mod tls;

use std::{
    fs,
    path::PathBuf,
    sync::PoisonError,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use self::{
    distance::Traffic,
    secrets_manager::Secrets,
    timeline::waits,
    tls::{Asks, Authority},
};
pub use timeline::{Wait, text};

use crate::{
    Effort, Result,
    case::{Case, give_cached_read_to_bare},
    instance::Instance,
    pgbench::filled,
    request::Request,
    series::{Ratio, Series},
    shop::Shop,
    wire::{Captured, captured},
};

/// From the start of a process to its first answer. Times are milliseconds on the machine of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirstAnswer {
    pub case: String,
    /// Until the function asks for its first event.
    pub init: f64,
    pub whole: f64,
    /// The bare function.
    pub bare: f64,
    /// The function against the bare one.
    pub ratio: Ratio,
    /// Against the same function of another build, if one was measured beside it.
    pub beside: Option<Ratio>,
    /// What the function waited for in its last start.
    pub timeline: Vec<Wait>,
}

/// The reads and writes that are measured, with the variables that name their secrets.
const CASES: [(Case, &[&str]); 2] = [
    (Case::CachedRead, &["DATABASE_SECRET_ID", "REDIS_SECRET_ID"]),
    (Case::Booking, &["DATABASE_SECRET_ID", "REDIS_SECRET_ID", "SECRET_ID"]),
];

/// Variables that the booking function's own secret has on AWS.
const SECRET: [&str; 3] = ["DESCOPE_MANAGEMENT_KEY", "STAFF_API_KEYS", "REFRESH_TOKEN_KEYS"];

/// Measures the first answers.
pub async fn measure(shop: &mut Shop, effort: Effort) -> Result<Vec<FirstAnswer>> {
    give_cached_read_to_bare(shop).await?;
    let booking = captured(shop).await?;
    let servers = Servers::start(shop).await?;
    let mut answers = Vec::new();
    for (case, secrets) in CASES {
        let bare = servers.copy(shop, &shop.binaries.clone(), "bare_away")?;
        let own = servers.copy(shop, &shop.binaries.clone(), case.binary())?;
        let other = match shop.beside.clone() {
            Some(beside) => Some(servers.copy(shop, &beside, case.binary())?),
            None => None,
        };
        let mut starts = [Starts::default(), Starts::default(), Starts::default()];
        for round in 0..=effort.cold_rounds {
            let mut turns: Vec<(usize, &PathBuf)> = vec![(0, &bare), (1, &own)];
            turns.extend(other.as_ref().map(|other| (2, other)));
            if round % 2 == 1 {
                turns.reverse();
            }
            for (place, binary) in turns {
                // Each booking of the bare function needs a customer and a reference of its own.
                let mut environment = servers.environment(secrets);
                if place == 0 && case == Case::Booking {
                    environment.push(("BENCH_STATEMENTS".to_owned(), statements(shop, &booking)?));
                }
                let request = case.request(shop).await?;
                let start = servers.start_function(shop, binary, &environment, &request).await?;
                // The first round brings the copied binaries into memory.
                if let Some(starts) = starts.get_mut(place).filter(|_| round > 0) {
                    starts.add(start);
                }
            }
        }
        let [bare, own, other_starts] = starts;
        answers.push(FirstAnswer {
            case: case.name().to_owned(),
            init: own.init.quantile(0.5) * 1e3,
            whole: own.whole.quantile(0.5) * 1e3,
            bare: bare.whole.quantile(0.5) * 1e3,
            ratio: own.whole.against(&bare.whole),
            beside: other.map(|_| own.whole.against(&other_starts.whole)),
            timeline: own.timeline,
        });
    }
    Ok(answers)
}

/// The booking's SQL with its values, for another customer, in a file; returns its name.
fn statements(shop: &mut Shop, booking: &Captured) -> Result<String> {
    let phone = shop.new_phone();
    let reference = format!("RMB-{phone}");
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let texts: Vec<String> = booking
        .statements
        .iter()
        .map(|statement| {
            filled(statement, |_, value| match value {
                None => "null".to_owned(),
                Some(value) if value == booking.phone => quoted(&phone),
                Some(value) if value == booking.reference => quoted(&reference),
                Some(value) => quoted(value),
            })
        })
        .collect();
    let file = shop.directory.join("booking.json");
    fs::write(&file, serde_json::to_vec(&texts)?)?;
    Ok(file.to_string_lossy().into_owned())
}

struct Servers {
    authority: Authority,
    traffic: Traffic,
    /// Without the variables that name secrets.
    environment: Vec<(String, String)>,
}

impl Servers {
    async fn start(shop: &mut Shop) -> Result<Self> {
        let (authority, traffic) = (Authority::new()?, Traffic::default());
        let (name, password) = shop.redis_user().await?;
        let mut environment = shop.environment(shop.biggest());
        let mut database = shop.database_url(shop.biggest());
        let login = json!({ "username": database.username(), "password": database.password().unwrap_or_default() });
        let mut redis = shop.redis_url().clone();
        let ends = authority.acceptor();
        let postgres = tls::before(address(&database, 5432), Asks::AsPostgres, ends.clone()).await?;
        let cache = tls::before(address(&redis, 6379), Asks::Never, ends.clone()).await?;
        let postgres = distance::before("Postgres", postgres, Traffic::clone(&traffic))?;
        let cache = distance::before("Redis", cache, Traffic::clone(&traffic))?;

        lead_to(&mut database, "postgres", postgres)?;
        database.set_query(Some("sslmode=verify-full"));
        redis = Url::parse(&redis.as_str().replacen("redis:", "rediss:", 1))?;
        lead_to(&mut redis, "rediss", cache)?;
        let full = |mut url: Url, name: &str, password: &str| -> Result<String> {
            url.set_username(name).map_err(|()| "a URL without a user")?;
            url.set_password(Some(password)).map_err(|()| "a URL without a password")?;
            Ok(url.into())
        };
        let text = |key: &str| login.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let whole = json!({
            "redis": full(redis.clone(), &name, &password)?,
            "database": full(database.clone(), text("username"), text("password"))?,
        });
        let own = environment.extract_if(.., |(variable, _)| SECRET.contains(&variable.as_str()));
        let own = own.map(|(variable, value)| (variable, json!(value))).collect::<serde_json::Map<_, _>>();
        let secrets = Secrets::from([
            ("bench-database".to_owned(), login.clone()),
            ("bench-redis".to_owned(), json!({ "username": name, "password": password })),
            ("bench-own".to_owned(), json!(own)),
            ("bench-bare".to_owned(), whole),
        ]);
        let manager = secrets_manager::start(secrets, ends).await?;
        let manager = distance::before("Secrets Manager", manager, Traffic::clone(&traffic))?;
        for (variable, value) in [
            ("DATABASE_URL", database.to_string()),
            ("REDIS_URL", redis.to_string()),
            ("AWS_ENDPOINT_URL", format!("https://localhost:{manager}")),
            ("AWS_REGION", "ap-south-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_SESSION_TOKEN", "bench".to_owned()),
        ] {
            environment.retain(|(known, _)| known != variable);
            environment.push((variable.to_owned(), value));
        }
        Ok(Self { authority, traffic, environment })
    }

    fn environment(&self, secrets: &[&str]) -> Vec<(String, String)> {
        let id = |variable: &&str| {
            let name = variable.trim_end_matches("_ID").trim_end_matches("_SECRET").to_lowercase();
            let name = if name == "secret" { "own".to_owned() } else { name };
            ((*variable).to_owned(), format!("bench-{name}"))
        };
        self.environment.iter().cloned().chain(secrets.iter().map(id)).collect()
    }

    /// A copy of a binary that trusts the servers.
    fn copy(&self, shop: &Shop, directory: &std::path::Path, binary: &str) -> Result<PathBuf> {
        let part = if directory == shop.binaries { "away" } else { "away-beside" };
        let directory_of_copies = shop.directory.join(part);
        fs::create_dir_all(&directory_of_copies)?;
        let copy = directory_of_copies.join(binary);
        self.authority.copy(&directory.join(binary), &copy)?;
        Ok(copy)
    }

    async fn start_function(
        &self,
        shop: &Shop,
        binary: &std::path::Path,
        environment: &[(String, String)],
        request: &Request,
    ) -> Result<Start> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let born = Instant::now();
        let log = shop.directory.join("away.log");
        let mut instance = Instance::start(binary, environment, &log).await?;
        let answer = request.send_to(&mut instance).await?;
        let (init, whole) = (instance.init, instance.init + answer.time);
        instance.end().await?;
        let flights = self.traffic.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Start { init, whole, timeline: waits(&flights, born, whole) })
    }
}

struct Start {
    init: Duration,
    whole: Duration,
    timeline: Vec<Wait>,
}

#[derive(Default)]
struct Starts {
    init: Series,
    whole: Series,
    timeline: Vec<Wait>,
}

impl Starts {
    fn add(&mut self, start: Start) {
        self.init.push(vec![start.init.as_secs_f64()]);
        self.whole.push(vec![start.whole.as_secs_f64()]);
        self.timeline = start.timeline;
    }
}

fn address(url: &Url, port: u16) -> String {
    format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(port))
}

fn lead_to(url: &mut Url, scheme: &str, port: u16) -> Result<()> {
    let path = url.path().to_owned();
    *url = Url::parse(&format!("{scheme}://localhost:{port}{path}"))?;
    Ok(())
}
