//! Sessions: signing in, refreshing, logging out.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use stand_in::random;

use crate::{
    answer::{Reason, Refusal, Result},
    issued::Session,
    request::Request,
    state::State,
    users::{Status, User},
};

/// Why a session ended by logout. SDKs and tests match this text.
pub(crate) const LOGGED_OUT: &str = "Expired due to logout";

/// Opens a session for a user who has just authenticated, and returns the `JWTResponse`.
pub(crate) fn open(state: &mut State, user_id: &str, method: &str, options: &Value) -> Result {
    let now = state.clock.now();
    let user = state.users.get_mut(user_id).ok_or_else(|| Reason::UserNotFound.because("User not found"))?;
    user.expect_not_disabled()?;
    let is_first = user.logins.is_empty();
    user.logins.push(now.timestamp());
    user.status = Status::Enabled;
    let user = user.clone();
    let session = Session {
        user_id: user_id.to_owned(),
        expires: state.clock.after(state.settings.refresh_lifetime),
        amr: vec![method.to_owned()],
        nsec: options.get("customClaims").and_then(Value::as_object).cloned().unwrap_or_default(),
        ended: None,
    };
    let refresh_jwt = state.keys.token(&claims(state, &user, &session, Kind::Refresh));
    let digest = digest_of(&refresh_jwt);
    if options.get("revokeOtherSessions") == Some(&Value::Bool(true)) {
        state.sessions.end_all(user_id, None, LOGGED_OUT);
    }
    state.sessions.0.insert(digest, session.clone());
    Ok(response(state, &user, &session, &refresh_jwt, is_first))
}

/// `/v1/auth/refresh`: a new session token, with the user's current roles.
pub(crate) fn refresh(state: &mut State, request: &Request) -> Result {
    let (digest, mut session, user) = live(state, request)?;
    if !state.settings.rotates_refresh_tokens {
        return Ok(response(state, &user, &session, "", false));
    }
    // Whether Descope has a grace period for the old token is not known, so clients must not rely on one.
    if let Some(old) = state.sessions.0.get_mut(&digest) {
        old.ended = Some("Expired due to rotation".to_owned());
    }
    session.expires = state.clock.after(state.settings.refresh_lifetime);
    let refresh_jwt = state.keys.token(&claims(state, &user, &session, Kind::Refresh));
    state.sessions.0.insert(digest_of(&refresh_jwt), session.clone());
    Ok(response(state, &user, &session, &refresh_jwt, false))
}

/// `/v1/auth/try-refresh`: like `refresh`, but an invalid token gets an empty answer instead of an error.
pub(crate) fn try_refresh(state: &mut State, request: &Request) -> Result {
    refresh(state, request).or_else(|_: Refusal| Ok(empty_response()))
}

/// `/v1/auth/validate`: the claims of a valid session token. Ignores a logout; whether Descope does is not known.
pub(crate) fn validate(state: &State, request: &Request) -> Result {
    let mut claims = good_claims(state, request.token()?, "DS")?;
    // The only known sample of this answer has the times as strings.
    for name in ["iat", "exp"] {
        if let Some(time) = claims.get_mut(name) {
            *time = time.as_i64().and_then(|time| DateTime::from_timestamp(time, 0)).map(rfc_3339).into();
        }
    }
    Ok(claims)
}

/// `/v1/auth/logout`: ends this session.
pub(crate) fn log_out(state: &mut State, request: &Request) -> Result {
    let (digest, ..) = live(state, request)?;
    if let Some(session) = state.sessions.0.get_mut(&digest) {
        session.ended = Some(LOGGED_OUT.to_owned());
    }
    Ok(empty_response())
}

/// `/v1/auth/logoutall`: ends all sessions of the user.
pub(crate) fn log_out_all(state: &mut State, request: &Request) -> Result {
    let (_, _, user) = live(state, request)?;
    state.sessions.end_all(&user.user_id, None, LOGGED_OUT);
    Ok(empty_response())
}

/// The user whose refresh token the call carries.
pub(crate) fn caller(state: &State, request: &Request) -> Result<User> {
    live(state, request).map(|(_, _, user)| user)
}

/// Claims of a session token issued to this user now.
pub(crate) fn sample_claims(state: &State, user_id: &str) -> Value {
    let user = state.users.get(user_id).cloned().unwrap_or_else(|| {
        let mut stranger = User::new("", state.clock.now());
        user_id.clone_into(&mut stranger.user_id);
        stranger
    });
    let session = Session {
        user_id: user_id.to_owned(),
        expires: state.clock.after(state.settings.refresh_lifetime),
        amr: vec!["sms".to_owned()],
        nsec: Map::new(),
        ended: None,
    };
    claims(state, &user, &session, Kind::Session)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Refresh,
}

/// The session whose refresh token the call carries, and its user.
fn live(state: &State, request: &Request) -> Result<(String, Session, User)> {
    let token = request.token()?;
    let digest = digest_of(token);
    let is_signed = state.keys.verify(token).is_some();
    let session = state.sessions.0.get(&digest).filter(|_| is_signed);
    if let Some(why) = session.and_then(|session| session.ended.as_ref()) {
        return Err(Reason::LoggedOut.because(format!("Failed to load the session: {why}")));
    }
    good_claims(state, token, "DSR")?;
    let session = session.ok_or_else(|| Reason::InvalidToken.because("The token belongs to no session"))?;
    let user = state.users.get(&session.user_id).ok_or_else(|| Reason::LoggedOut.because(LOGGED_OUT))?;
    user.expect_not_disabled()?;
    Ok((digest, session.clone(), user.clone()))
}

fn good_claims(state: &State, token: &str, kind: &str) -> Result<Value> {
    let claims = state
        .keys
        .verify(token)
        .ok_or_else(|| Reason::InvalidToken.because("The token is not signed by a key of the project"))?;
    if claims.get("drn").and_then(Value::as_str) != Some(kind) {
        return Err(Reason::InvalidToken.because(format!("The token is not a {kind} token")));
    }
    let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    if expires <= state.clock.now().timestamp() {
        return Err(Reason::InvalidToken.because("The token has expired"));
    }
    Ok(claims)
}

fn claims(state: &State, user: &User, session: &Session, kind: Kind) -> Value {
    let expires = match kind {
        Kind::Session => state.clock.after(state.settings.session_lifetime).min(session.expires),
        Kind::Refresh => session.expires,
    };
    let mut nsec = session.nsec.clone();
    // Tells apart two tokens issued in the same second, which no claim known to be in a default token does. It is in
    // `nsec`, whose claims verifiers must not trust, so that it is not mistaken for a session id.
    if state.settings.makes_tokens_unique {
        nsec.insert("nonce".to_owned(), random::text::<16>().into());
    }
    let mut claims = json!({
        "amr": session.amr,
        "drn": if kind == Kind::Session { "DS" } else { "DSR" },
        "exp": expires.timestamp(),
        "iat": state.clock.now().timestamp(),
        "iss": state.issuer(),
        "nsec": nsec,
        "sub": user.user_id,
    });
    if let Some(claims) = claims.as_object_mut() {
        if kind == Kind::Session {
            claims.insert("rexp".to_owned(), rfc_3339(session.expires).into());
        }
        if !user.roles.is_empty() {
            claims.insert("roles".to_owned(), user.roles.clone().into());
        }
    }
    claims
}

fn response(state: &State, user: &User, session: &Session, refresh_jwt: &str, is_first: bool) -> Value {
    let claims = claims(state, user, session, Kind::Session);
    let lifetime = session.expires - state.clock.now();
    let mut response = empty_response();
    for (name, value) in [
        ("sessionJwt", state.keys.token(&claims).into()),
        ("refreshJwt", refresh_jwt.into()),
        ("cookieMaxAge", lifetime.num_seconds().into()),
        ("cookieExpiration", session.expires.timestamp().into()),
        ("sessionExpiration", claims.get("exp").cloned().unwrap_or_default()),
        ("user", user.to_json()),
        ("firstSeen", is_first.into()),
    ] {
        if let Some(member) = response.get_mut(name) {
            *member = value;
        }
    }
    response
}

/// An empty `JWTResponse` with every member that a decoder may require.
fn empty_response() -> Value {
    json!({
        "sessionJwt": "",
        "refreshJwt": "",
        "cookieDomain": "",
        "cookiePath": "/",
        "cookieMaxAge": 0,
        "cookieExpiration": 0,
        "sessionExpiration": 0,
        "user": null,
        "firstSeen": false,
        "idpResponse": null,
        "claims": {},
        "externalToken": "",
        "tenantSSOID": "",
        "trustedDeviceJwt": "",
        "nextRefreshSeconds": 0,
        "cookieName": "",
        "sessionCookieName": "",
        "sessionCookieDomain": "",
    })
}

fn rfc_3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn digest_of(token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}
