//! A stand-in for the bucket where CloudFormation waits for answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request that arrived at the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) request: String,
    pub(crate) headers: BTreeMap<String, String>,
    body: Value,
}

/// The bucket behind CloudFormation's response URL. Refuses as many requests as it is told to.
pub(crate) struct Bucket {
    pub(crate) url: String,
    puts: Arc<Mutex<Vec<Put>>>,
}

impl Bucket {
    pub(crate) async fn refusing(mut times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answer?Signature=abc%2Fdef", listener.local_addr().unwrap());
        let puts: Arc<Mutex<Vec<Put>>> = Arc::default();
        let kept = Arc::clone(&puts);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let status = if times > 0 { "503 Slow Down" } else { "200 OK" };
                times = times.saturating_sub(1);
                let put = receive(connection, status).await;
                kept.lock().unwrap().push(put);
            }
        });
        Self { url, puts }
    }

    pub(crate) async fn open() -> Self {
        Self::refusing(0).await
    }

    pub(crate) fn puts(&self) -> Vec<Put> {
        self.puts.lock().unwrap().clone()
    }

    pub(crate) fn answers(&self) -> Vec<Value> {
        self.puts().into_iter().map(|put| put.body).collect()
    }
}

async fn receive(connection: TcpStream, status: &str) -> Put {
    let mut connection = BufReader::new(connection);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let headers: BTreeMap<String, String> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    connection.read_exact(&mut body).await.unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.unwrap();
    Put { request: lines[0].clone(), headers, body: serde_json::from_slice(&body).unwrap() }
}
