//! A Secrets Manager that takes its time.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::runtime_api::read_request;

/// From the question to the answer, without the network.
const THINKING: Duration = Duration::from_millis(20);

/// Secrets by id.
pub(crate) type Secrets = HashMap<String, Value>;

/// Starts a server that answers `GetSecretValue`; returns its address.
pub(crate) async fn start(secrets: Secrets, acceptor: TlsAcceptor) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let secrets = Arc::new(secrets);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, Arc::clone(&secrets), acceptor.clone()));
        }
    });
    Ok(address)
}

async fn serve(client: TcpStream, secrets: Arc<Secrets>, acceptor: TlsAcceptor) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(acceptor.accept(client).await?);
    while let Some((_, body)) = read_request(&mut client).await? {
        tokio::time::sleep(THINKING).await;
        let asked: Value = serde_json::from_slice(&body)?;
        let id = asked.get("SecretId").and_then(Value::as_str).unwrap_or_default();
        let secret = secrets.get(id).ok_or_else(|| io::Error::other(format!("no secret {id:?}")))?;
        let answer = json!({
            "ARN": format!("arn:aws:secretsmanager:ap-south-1:000000000000:secret:{id}"), "Name": id,
            "VersionId": "00000000-0000-4000-8000-000000000000", "VersionStages": ["AWSCURRENT"],
            "CreatedDate": 1_795_338_000, "SecretString": secret.to_string(),
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        client.write_all((head + &answer).as_bytes()).await?;
        client.flush().await?;
    }
    Ok(())
}
