//! A bare function that opens its connections one after another: the baseline of a cold start on AWS.
//!
//! One secret with the addresses of both servers, Redis, Postgres if there are statements to run; at the first event a
//! Redis `GET` and the statements.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::{env, fs, sync::Arc};

use lambda_http::{Error, Request, Response, run, service_fn};
use redis::{AsyncCommands, Client};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
};
use tokio_rustls::TlsConnector;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let key = env::var("BENCH_REDIS_KEY")?;
    let secret = secret(&env::var("AWS_ENDPOINT_URL")?).await?;
    let address = |name: &str| secret.get(name).and_then(Value::as_str).ok_or("an address is missing");
    let connection = Client::open(address("redis")?)?.get_multiplexed_async_connection().await?;
    let statements: Vec<String> = match env::var("BENCH_STATEMENTS") {
        Ok(file) => serde_json::from_slice(&fs::read(file)?)?,
        Err(_) => Vec::new(),
    };
    let status = if statements.is_empty() { 200 } else { 201 };
    let database = match statements.as_slice() {
        [] => None,
        _ => Some(Mutex::new(PgConnection::connect(address("database")?).await?)),
    };
    run(service_fn(async |_: Request| {
        let found: String = connection.clone().get(&key).await?;
        if let Some(database) = &database {
            let mut database = database.lock().await;
            for statement in &statements {
                if statement.contains(';') || statement.len() < 10 {
                    // As the functions send `begin` and `commit`: in one round trip.
                    database.execute(sqlx::raw_sql(statement)).await?;
                } else {
                    database.fetch_all(sqlx::query(statement)).await?;
                }
            }
        }
        Ok::<_, Error>(Response::builder().status(status).header("content-type", "application/json").body(found)?)
    }))
    .await
}

/// Asks a Secrets Manager at `https://localhost:<port>` for the one secret.
async fn secret(url: &str) -> Result<Value, Error> {
    let address = url.strip_prefix("https://").ok_or("an address without TLS")?;
    let provider = aws_lc_rs::default_provider();
    provider.clone().install_default().map_err(|_| "a provider is there already")?;
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let body = json!({ "SecretId": "bench-bare" }).to_string();
    let head = format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await?;
    let answer = std::str::from_utf8(answer.get(..length).unwrap_or_default())?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("an answer without a body")?;
    let answer: Value = serde_json::from_str(body)?;
    let secret = answer.get("SecretString").and_then(Value::as_str).ok_or("an answer without a secret")?;
    Ok(serde_json::from_str(secret)?)
}
