//! The signature of a call to AWS, checked as AWS checks it: moto does not.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::config::{Aws, DESCOPE_MANAGEMENT_KEY, SECRET_ID, Settings};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::servers::QUICK;

/// A request as it came over the wire.
struct Request {
    /// Method and path.
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Answers one request with this body.
    async fn taken(listener: TcpListener, answer: Value) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let line = lines.remove(0);
        let headers = lines.iter().map(|line| line.split_once(':').unwrap());
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let mut request = Self { line, headers, body: Vec::new() };
        request.body = vec![0; request.header("content-length").parse().unwrap()];
        stream.read_exact(&mut request.body).await.unwrap();
        let (head, answer) = ("HTTP/1.1 200 OK\r\nconnection: close", answer.to_string());
        let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    }

    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(own, _)| own == name).unwrap().1
    }

    /// Credential, signed headers and signature.
    fn authorization(&self) -> [&str; 3] {
        let parts = self.header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").unwrap().split(", ");
        parts.map(|part| part.split_once('=').unwrap().1).collect::<Vec<_>>().try_into().unwrap()
    }

    /// What AWS makes of the request with the secret key.
    fn signature(&self, secret: &str) -> String {
        let [credential, names, _] = self.authorization();
        let (_, scope) = credential.split_once('/').unwrap();
        let (method, rest) = self.line.split_once(' ').unwrap();
        let (path, _) = rest.split_once(' ').unwrap();
        let mut canonical = format!("{method}\n{path}\n\n");
        for name in names.split(';') {
            writeln!(canonical, "{name}:{}", self.header(name)).unwrap();
        }
        write!(canonical, "\n{names}\n{}", hex::encode(Sha256::digest(&self.body))).unwrap();
        let hash = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", self.header("x-amz-date"));
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part));
        hex::encode(keyed(&key, &text))
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test]
async fn a_read_of_a_secret_is_signed_whole_with_the_key_of_the_role() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let secret = json!({ "DESCOPE_MANAGEMENT_KEY": "k" }).to_string();
    let taken = tokio::spawn(Request::taken(listener, json!({ "SecretString": secret })));
    let settings = Settings::of(&[(SECRET_ID, "own")], Some(Aws::local(format!("http://{host}"))), QUICK);
    settings.ready().await;
    let key = settings.live(|values| values.required(DESCOPE_MANAGEMENT_KEY)).unwrap();
    assert_eq!(*key.get().unwrap(), "k");

    let request = taken.await.unwrap();
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((request.line.as_str(), sent), ("POST / HTTP/1.1", json!({ "SecretId": "own" })));
    assert_eq!(request.header("x-amz-target"), "secretsmanager.GetSecretValue");
    let [credential, names, signature] = request.authorization();
    let day = &request.header("x-amz-date")[..8];
    assert_eq!(credential, format!("local/{day}/ap-south-1/secretsmanager/aws4_request"));
    assert_eq!(names, "content-type;host;x-amz-date;x-amz-target");
    assert_eq!(request.header("host"), host);
    assert_eq!(signature, request.signature("local"));
    assert_ne!(signature, request.signature("another key"));
}
