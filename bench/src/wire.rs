//! The functions' traffic to Postgres, Redis and Descope: round trips, and the statements of a booking.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;

use crate::{
    Result,
    case::{Case, WARM_UP},
    proxy::Proxy,
    request::Request,
    series::number,
    shop::Shop,
    statements::{self, Statement},
};

/// Counts the round trips of each case to Postgres, Redis and Descope, on open connections.
pub(crate) async fn round_trips(shop: &mut Shop) -> Result<Vec<[f64; 3]>> {
    let descope = Url::parse(&shop.descope.url())?;
    let servers = [shop.database_url(shop.biggest()), shop.redis_url().clone(), descope];
    let mut proxies = Vec::new();
    let mut environment: HashMap<String, String> = shop.environment(shop.biggest()).into_iter().collect();
    for (variable, mut url) in ["DATABASE_URL", "REDIS_URL", "DESCOPE_BASE_URL"].into_iter().zip(servers) {
        let proxy = before(&mut url).await?;
        environment.insert(variable.to_owned(), url.as_str().trim_end_matches('/').to_owned());
        proxies.push(proxy);
    }
    let environment: Vec<_> = environment.into_iter().collect();
    let mut trips = Vec::new();
    for case in Case::TIMED {
        let mut instance = shop.start(case.binary(), &environment).await?;
        let mut counted = [0; 3];
        for round in 0..2 * WARM_UP {
            let request = case.request(shop).await?;
            let before: Vec<usize> = proxies.iter().map(Proxy::turns).collect();
            request.send_to(&mut instance).await?;
            for ((counted, proxy), before) in counted.iter_mut().zip(&proxies).zip(before) {
                *counted += if round < WARM_UP { 0 } else { proxy.turns() - before };
            }
        }
        if case == Case::UncachedRead && counted[0] == 0 {
            return Err("the uncached read did not ask Postgres: the cache's keys are named in another way".into());
        }
        trips.push(counted.map(|counted| number(counted as u64) / number(WARM_UP as u64)));
    }
    Ok(trips)
}

/// The statements of a booking, and the values that differ in each booking.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// From `begin` to `commit`.
    pub(crate) statements: Vec<Statement>,
    /// The customer's number, as in the statements.
    pub(crate) phone: String,
    pub(crate) reference: String,
}

/// Books twice and captures the second booking: the first one prepares the statements.
pub(crate) async fn captured(shop: &mut Shop) -> Result<Captured> {
    let mut url = shop.database_url(shop.biggest());
    let proxy = before(&mut url).await?;
    // Encrypted statements could not be read.
    url.set_query(Some("sslmode=disable"));
    let mut environment = shop.environment(shop.biggest());
    environment.push(("DATABASE_URL".to_owned(), url.into()));
    let mut instance = shop.start("bookings", &environment).await?;
    let mut captured = Captured::default();
    for _ in 0..2 {
        let phone = shop.new_phone();
        let request = shop.booking(&phone);
        let before = statements_of(&proxy)?.len();
        let answer = request.send_to(&mut instance).await?;
        let body: Value = serde_json::from_str(Request::outcome(&answer).1)?;
        let reference =
            body.pointer("/data/reference").and_then(Value::as_str).ok_or("a booking without a reference")?;
        let statements = statements_of(&proxy)?.split_off(before);
        captured = Captured { statements, phone, reference: reference.to_owned() };
    }
    Ok(captured)
}

fn statements_of(proxy: &Proxy) -> Result<Vec<Statement>> {
    proxy.sent().first().map_or(Ok(Vec::new()), |sent| statements::read(sent))
}

/// Starts a proxy in front of a URL's server and changes the URL to the proxy's.
async fn before(url: &mut Url) -> Result<Proxy> {
    let default = if url.scheme().starts_with("postgres") { 5432 } else { 6379 };
    let upstream =
        format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port_or_known_default().unwrap_or(default));
    let proxy = Proxy::start(upstream).await?;
    url.set_host(Some("127.0.0.1"))?;
    url.set_port(Some(proxy.address.port())).map_err(|()| "a URL without a port")?;
    Ok(proxy)
}
