//! The caller of a request. Credentials are read here and nowhere else.

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::{HeaderName, request::Parts};
use shared::{
    Error, Result,
    accounts::User,
    bookings::{
        Booking,
        access_token::AccessToken,
        booking::{self, Detail},
    },
    http::{ClientAddress, Fields, Query, Read},
    ids::BookingId,
    language::Language,
    logging::name_actor,
    phone::Phone,
    select_bookings,
    session::{Session, Sessions},
    staff::{Staff, StaffKey, StaffKeys},
};
use sqlx::PgConnection;

use crate::App;

const BOOKING_TOKEN: HeaderName = HeaderName::from_static("x-booking-token");

/// The caller, by the credentials of the request. A session or staff key that is sent must be valid.
#[derive(Debug)]
pub(crate) struct Caller {
    user: Option<User>,
    /// From `?token=` or `X-Booking-Token`; not verified until it is compared with a booking's hash.
    token: Option<AccessToken>,
    staff_key: Option<StaffKey>,
    language: Option<Language>,
}

impl Caller {
    /// Whether the request has no credentials.
    pub(crate) fn is_stranger(&self) -> bool {
        self.user.is_none() && self.token.is_none() && self.staff_key.is_none()
    }

    /// Whether the caller may see the whole booking, as its owner or as staff of the shop.
    pub(crate) fn may_see(&self, booking: &Booking) -> bool {
        self.staff().is_some() || self.owns(booking)
    }

    /// Whether the caller has the booking's unexpired token, or has verified its phone number.
    pub(crate) fn owns(&self, booking: &Booking) -> bool {
        let by_token = self
            .token
            .as_ref()
            .is_some_and(|token| !booking.access_token_is_expired && token.opens(&booking.access_token_sha256));
        if by_token && self.user.is_none() {
            name_actor("customer");
        }
        by_token || self.has_number(&booking.customer.phone)
    }

    /// Whether the caller is signed in and has verified this phone number.
    pub(crate) fn has_number(&self, phone: &str) -> bool {
        self.user.as_ref().and_then(User::verified_phone) == Some(phone)
    }

    /// Looks a booking up. A token that does not open it, without a session or a staff key beside, counts as junk; an address
    /// over the limit of junk is refused before Postgres is asked.
    pub(crate) async fn look_up(
        &self,
        app: &App,
        address: &ClientAddress,
        id: BookingId,
        may: impl Fn(&Self, &Booking) -> bool,
    ) -> Result<Option<Booking>> {
        let find = |pool| async move { select_bookings!("booking.id = $1", id.0).fetch_optional(&pool).await };
        let find = async { Ok(app.database.read(find).await?) };
        let may = |found: &Option<Booking>| found.as_ref().is_some_and(|booking| may(self, booking));
        let found = match &self.token {
            Some(token) if self.user.is_none() && self.staff_key.is_none() => {
                let junk = app.limits.junk_tokens.on(&address.0);
                app.throttle.guess(junk, &format!("{id} {}", token.reveal()), find, &may).await?
            }
            _ => find.await?,
        };
        if !may(&found) && !self.is_stranger() {
            // As a read without proof.
            app.throttle.check(&[app.limits.lookups.on(&address.0)]).await?;
        }
        Ok(found)
    }

    /// The booking of a caller who may do this with it: 404 if it does not exist, 403 for any other caller. Locks
    /// nothing, so that a stranger makes no owner wait.
    pub(crate) async fn admit(
        &self,
        app: &App,
        address: &ClientAddress,
        id: BookingId,
        may: impl Fn(&Self, &Booking) -> bool,
    ) -> Result<Booking> {
        match self.look_up(app, address, id, &may).await? {
            Some(booking) if may(self, &booking) => Ok(booking),
            Some(_) => Err(Error::PermissionDenied),
            None => Err(Error::NotFound("Booking")),
        }
    }

    /// Admits the owner to a change of a booking, within the limit of changes.
    pub(crate) async fn admit_to_change(&self, app: &App, address: &ClientAddress, id: BookingId) -> Result<()> {
        self.admit(app, address, id, Self::owns).await?;
        app.throttle.check(&[app.limits.changes.on(&id.to_string())]).await
    }

    /// Locks a booking for a change by its owner: 404 if it does not exist, 403 for any other caller. Staff have routes
    /// of their own, which name them in the timeline.
    pub(crate) async fn lock_own(&self, connection: &mut PgConnection, id: BookingId) -> Result<Booking> {
        let booking = booking::lock(connection, id).await?;
        if self.owns(&booking) { Ok(booking) } else { Err(Error::PermissionDenied) }
    }

    /// The staff member who calls, if it is one.
    pub(crate) fn staff(&self) -> Option<Staff> {
        Staff::of(self.staff_key.as_ref(), self.user.as_ref())
    }

    /// The caller to whom an idempotency key of a new booking belongs. A stranger is known by the number of the booking and
    /// not by an address, because a phone changes networks between two tries.
    pub(crate) fn of_key(&self, phone: Option<&Phone>) -> String {
        match (&self.staff_key, &self.user, phone) {
            (Some(key), _, _) => format!("staff key {}", key.label),
            (None, Some(user), _) => format!("user {}", user.id),
            (None, None, phone) => format!("phone {}", phone.map(Phone::as_str).unwrap_or_default()),
        }
    }

    /// The booking as the caller may see it whole.
    pub(crate) fn detail(&self, booking: Booking) -> Detail {
        if self.staff().is_some() { Detail::for_staff(booking) } else { Detail::for_customer(booking) }
    }

    /// The first of the browser's languages that is one of ours.
    pub(crate) fn language(&self) -> Option<Language> {
        self.language
    }

    /// The user of the session.
    pub(crate) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Sessions: FromRef<S>,
    StaffKeys: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let key = <StaffKey as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let session = <Session as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let token = token(parts, state).await?;
        let language = Language::accepted(&parts.headers);
        Ok(Self { user: session.map(|session| session.user), token, staff_key: key, language })
    }
}

async fn token<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Option<AccessToken>> {
    let header = parts.headers.get(BOOKING_TOKEN).filter(|token| !token.as_bytes().trim_ascii().is_empty());
    if let Some(token) = header {
        return Ok(Some(AccessToken::sent(String::from_utf8_lossy(token.as_bytes()))));
    }
    let Query(TokenInQuery(token)) = Query::from_request_parts(parts, state).await?;
    Ok(token.map(AccessToken::sent))
}

/// A caller with at least one credential; without any, the answer is 401. For routes of owners and staff.
#[derive(Debug)]
pub(crate) struct Claimant(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Claimant
where
    Sessions: FromRef<S>,
    StaffKeys: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.is_stranger() { Err(Error::NotAuthenticated) } else { Ok(Self(caller)) }
    }
}

/// The token in the query. An empty one counts as absent, as an empty header does.
struct TokenInQuery(Option<String>);

impl Read for TokenInQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.text_or_empty("token", 1000).filter(|token| !token.is_empty())))
    }
}
