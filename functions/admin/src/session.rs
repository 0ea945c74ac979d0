//! Sessions of the panel: a cookie that belongs to a session of its user and ends with it.

use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::http::{HeaderMap, HeaderValue};
use shared::{
    Error, Result,
    accounts::{ADMIN_ROLE, STAFF_ROLES},
    bookings::Actor,
    descope::{Claims, SignedIn},
    history::{Author, Source},
    http::{Device, cookie},
    ids::{SessionId, UserId},
    logging::name_actor,
    session::sha256,
    sign_in::refresh,
};
use tracing::warn;

use crate::{
    App,
    words::{Words, kept_language},
};

/// Sent only over https, only to this host, and never to a script.
const COOKIE: &str = "__Host-panel";
/// For whom the cookie's value is sealed.
const SEALED_FOR: &str = "the panel";
/// How long an answer of Descope about roles is believed.
const ROLES_FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long it is believed while Descope does not answer.
const ROLES_KNOWN: TimeDelta = TimeDelta::hours(1);
/// Some acts need a proof of identity that is not older.
const PROOF_FRESH: TimeDelta = TimeDelta::minutes(15);

/// The signed-in person of a request.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    /// As colleagues know the person: a name, else the address or number.
    pub(crate) name: String,
    /// Whether a role of the panel counts now.
    pub(crate) is_staff: bool,
    pub(crate) is_admin: bool,
    /// When the person last entered a password or a code.
    proved_at: DateTime<Utc>,
    /// As in the log.
    pub(crate) request_id: Option<String>,
    /// In the language of the person's browser.
    pub(crate) words: Words,
}

impl Person {
    /// The person as the author of a change, for the history.
    pub(crate) fn author(&self) -> Author {
        Author::user(self.user_id, Source::Panel, self.request_id.clone())
    }

    /// The person as the actor of a booking's change.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Staff(format!("user-{}", self.user_id))
    }

    pub(crate) fn has_fresh_proof(&self) -> bool {
        Utc::now() - self.proved_at < PROOF_FRESH
    }
}

/// Opens a session of the panel for a sign-in that has opened a session of its user. Returns the `Set-Cookie` value.
pub(crate) async fn open(app: &App, signed_in: &SignedIn) -> Result<HeaderValue> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    let cookie = hex::encode(app.sign_in.seals.seal(&hex::encode(bytes), SEALED_FOR)?);
    let claims = Claims::trusted(&signed_in.session_jwt)?;
    sqlx::query!(
        "
        insert into panel_sessions (cookie_sha256, session_id, roles, roles_asked_at)
        select $1, session_id, $3, $4 from session_tokens where token_sha256 = $2 and kind = 'session'
        ",
        &sha256(&cookie),
        &sha256(&signed_in.session_jwt),
        claims.roles(),
        claims.issued_at()
    )
    .execute(&app.database().pool())
    .await?;
    HeaderValue::from_str(&format!("{COOKIE}={cookie}; Secure; HttpOnly; SameSite=Lax; Path=/"))
        .map_err(Error::internal)
}

/// The `Set-Cookie` value that removes the cookie.
pub(crate) fn removal() -> HeaderValue {
    HeaderValue::from_static("__Host-panel=; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
}

struct Found {
    session_id: SessionId,
    user_id: UserId,
    name: String,
    /// Those that count.
    roles: Vec<String>,
    roles_asked_at: DateTime<Utc>,
    proved_at: DateTime<Utc>,
}

/// The person of a request's cookie; `None` without a session that lives.
pub(crate) async fn find(app: &App, headers: &HeaderMap, device: &Device) -> Result<Option<Person>> {
    let Some(cookie) = cookie(headers, COOKIE) else { return Ok(None) };
    // What a stranger made up must not reach Postgres.
    let envelope = hex::decode(cookie).unwrap_or_default();
    if !app.sign_in.seals.has_sealed(&envelope, SEALED_FOR).await? {
        return Ok(None);
    }
    let cookie_sha256 = sha256(cookie);
    let Some(mut found) = load(app, &cookie_sha256).await? else { return Ok(None) };
    if found.age() > ROLES_FRESH {
        match ask_roles(app, &cookie_sha256, &found, device).await {
            Ok(Some(newer)) => found = newer,
            Err(error) if may_wait(&error) && found.age() < ROLES_KNOWN => {
                warn!(%error, "roles not asked for again; the known ones count for now");
            }
            Ok(None) | Err(Error::SessionRevoked | Error::TokenInvalid | Error::TokenExpired) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    name_actor(format_args!("user:{}", found.user_id));
    Ok(Some(Person { words: Words(kept_language(headers)), ..found.person() }))
}

impl Found {
    fn age(&self) -> TimeDelta {
        Utc::now() - self.roles_asked_at
    }

    /// The person, without a role if none counts.
    fn person(self) -> Person {
        let has = |role: &str| self.roles.iter().any(|known| known == role);
        Person {
            user_id: self.user_id,
            session_id: self.session_id,
            is_staff: STAFF_ROLES.into_iter().any(has),
            is_admin: has(ADMIN_ROLE),
            name: self.name,
            proved_at: self.proved_at,
            request_id: None,
            words: Words::default(),
        }
    }
}

fn may_wait(error: &Error) -> bool {
    matches!(error, Error::Upstream { .. } | Error::UpstreamTimeout { .. } | Error::Throttled { .. })
}

/// Loads a session that was used within 2 hours and opened within 12. Updates `last_seen_at` at most once a minute.
async fn load(app: &App, cookie_sha256: &[u8; 32]) -> Result<Option<Found>> {
    let load = |pool| async move {
        sqlx::query_as!(
            Found,
            r#"
            with seen as (
                update panel_sessions set last_seen_at = now()
                where cookie_sha256 = $1 and last_seen_at between now() - interval '2 hours' and now() - interval '1 minute'
            )
            select session.id as session_id, users.id as user_id, panel.roles_asked_at,
                panel.created_at as proved_at,
                coalesce(nullif(trim(users.first_name || ' ' || users.last_name), ''), users.email, users.phone, users.username)
                    as "name!",
                roles_that_count(session.descope_user_id, session.user_id, panel.roles_asked_at, panel.roles) as "roles!"
            from panel_sessions panel
            join user_sessions session on session.id = panel.session_id
            join users on users.id = session.user_id
            where panel.cookie_sha256 = $1 and session.revoked_at is null and users.blocked_at is null
                and panel.last_seen_at > now() - interval '2 hours' and panel.created_at > now() - interval '12 hours'
            "#,
            cookie_sha256
        )
        .fetch_optional(&pool)
        .await
    };
    Ok(app.database().read(load).await?)
}

/// Asks Descope for the roles, by the session's refresh token, and loads the session again.
async fn ask_roles(app: &App, cookie_sha256: &[u8; 32], found: &Found, device: &Device) -> Result<Option<Found>> {
    let claims = refresh::refresh_session(&app.sign_in, found.session_id, device).await?;
    sqlx::query!(
        "
        update panel_sessions set roles = $2, roles_asked_at = $3
        where session_id = $1 and roles_asked_at <= $3
        ",
        found.session_id.0,
        claims.roles(),
        claims.issued_at()
    )
    .execute(&app.database().pool())
    .await?;
    load(app, cookie_sha256).await
}
