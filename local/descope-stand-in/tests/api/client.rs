//! A minimal HTTP client, so that tests see the bytes on the wire.

use descope_stand_in::{MANAGEMENT_KEY, PROJECT_ID, StandIn};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> (u16, &str) {
        (self.status, self.body["errorCode"].as_str().unwrap_or_default())
    }

    pub(crate) fn text_of(&self, name: &str) -> String {
        self.body[name].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        self
    }
}

/// Any call.
pub(crate) async fn call(stand_in: &StandIn, method: &str, path: &str, bearer: &str, body: &str) -> Answer {
    let address = stand_in.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {bearer}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (headers, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(text).unwrap_or_default();
    Answer { status, headers: headers.to_lowercase(), text: text.to_owned(), body }
}

/// A call that needs no token.
pub(crate) async fn post(stand_in: &StandIn, path: &str, body: Value) -> Answer {
    call(stand_in, "POST", path, PROJECT_ID, &body.to_string()).await
}

/// A call with a token.
pub(crate) async fn post_as(stand_in: &StandIn, token: &str, path: &str, body: Value) -> Answer {
    call(stand_in, "POST", path, &format!("{PROJECT_ID}:{token}"), &body.to_string()).await
}

/// A GET call with a token.
pub(crate) async fn get_as(stand_in: &StandIn, token: &str, path: &str) -> Answer {
    call(stand_in, "GET", path, &format!("{PROJECT_ID}:{token}"), "").await
}

/// A call with the management key.
pub(crate) async fn manage(stand_in: &StandIn, path: &str, body: Value) -> Answer {
    post_as(stand_in, MANAGEMENT_KEY, path, body).await
}

/// Signs in by SMS and returns the `JWTResponse`.
pub(crate) async fn sign_in(stand_in: &StandIn, phone: &str) -> Answer {
    post(stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": phone})).await.good();
    let code = last_code(stand_in, phone);
    post(stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": phone, "code": code})).await.good()
}

/// The newest code sent to this address.
pub(crate) fn last_code(stand_in: &StandIn, to: &str) -> String {
    stand_in.inbox(to)[0].code.clone().unwrap()
}

/// The newest link token sent to this address.
pub(crate) fn last_token(stand_in: &StandIn, to: &str) -> String {
    stand_in.inbox(to)[0].token.clone().unwrap()
}

/// A different code.
pub(crate) fn other_than(code: &str) -> String {
    let code: u32 = code.parse().unwrap();
    format!("{:06}", (code + 1) % 1_000_000)
}
