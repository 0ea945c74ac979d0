//! The measured cases: each is one kind of request to one function.

use serde_json::{Value, json};

use crate::{
    Result,
    request::Request,
    shop::{BUSY_DAY, PANEL_COOKIE, Shop, next_monday},
};

/// Requests before the measurement, for connections, plans and caches.
pub(crate) const WARM_UP: usize = 20;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Case {
    /// A bare function.
    Bare,
    /// A bare function that answers with the result of one Redis `GET`: the bytes of the cached read.
    BareRedis,
    /// Models of a brand, from the cache.
    CachedRead,
    /// The same on a cache miss.
    UncachedRead,
    /// The free slots of a day for two services.
    Slots,
    Booking,
    /// The first page of all bookings in the biggest database.
    StaffList,
    /// The first page of the panel's bookings.
    PanelList,
    /// The panel's board of a day with 200 jobs.
    PanelBoard,
    /// The check of a one-time code, which signs its owner in.
    OtpVerification,
}

impl Case {
    /// All cases, the bare ones first.
    pub(crate) const ALL: [Self; 10] = [
        Self::Bare,
        Self::BareRedis,
        Self::CachedRead,
        Self::UncachedRead,
        Self::Slots,
        Self::Booking,
        Self::StaffList,
        Self::PanelList,
        Self::PanelBoard,
        Self::OtpVerification,
    ];

    /// The cases of functions that are deployed.
    pub(crate) fn of_functions() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|case| !matches!(case, Self::Bare | Self::BareRedis))
    }

    /// The name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare function",
            Self::BareRedis => "bare, one Redis GET",
            Self::CachedRead => "cached read",
            Self::UncachedRead => "uncached read",
            Self::Slots => "slots",
            Self::Booking => "booking",
            Self::StaffList => "staff list",
            Self::PanelList => "panel list",
            Self::PanelBoard => "panel board",
            Self::OtpVerification => "OTP verification",
        }
    }

    /// The binary of the function that answers it.
    pub(crate) const fn binary(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareRedis => "bare_redis",
            Self::CachedRead | Self::UncachedRead => "vehicles",
            Self::Slots | Self::Booking => "bookings",
            Self::StaffList => "staff",
            Self::PanelList | Self::PanelBoard => "admin",
            Self::OtpVerification => "auth",
        }
    }

    /// The factor on the requests of a round: faster cases get more.
    pub(crate) const fn weight(self) -> usize {
        match self {
            Self::Bare | Self::BareRedis | Self::CachedRead => 5,
            _ => 1,
        }
    }

    /// The next request of this case.
    pub(crate) async fn request(self, shop: &mut Shop) -> Result<Request> {
        Ok(match self {
            Self::Bare | Self::BareRedis | Self::CachedRead => Request::get(MODELS),
            Self::UncachedRead => {
                shop.forget_cached().await?;
                Request::get(MODELS)
            }
            Self::Slots => Request::get(format!(
                "/api/slots/?date={}&service_location=shop&vehicle_model_id=7&service_ids=4,6",
                next_monday()
            )),
            Self::Booking => {
                let phone = shop.new_phone();
                shop.booking(&phone)
            }
            Self::StaffList => Request::get("/api/staff/bookings/?page=1").with("x-api-key", "bench-staff-key"),
            Self::PanelList => Request::get("/admin/bookings/").with("cookie", PANEL_COOKIE),
            Self::PanelBoard => Request::get(format!("/admin/?day={BUSY_DAY}")).with("cookie", PANEL_COOKIE),
            Self::OtpVerification => verification(shop).await?,
        })
    }
}

/// Stores the bytes of the cached read where the bare function reads them from Redis.
pub(crate) async fn give_cached_read_to_bare(shop: &mut Shop) -> Result<()> {
    let request = Case::CachedRead.request(shop).await?;
    let answer = shop.ask(Case::CachedRead.binary(), &request).await?;
    shop.give_to_bare_function(Request::outcome(&answer).1).await
}

/// Honda's scooters.
const MODELS: &str = "/api/vehicle-models/?vehicle_brand=2";
/// The same number signs in each time, so that its account exists.
const PHONE: &str = "+919000000000";

async fn verification(shop: &mut Shop) -> Result<Request> {
    let request = Request::post("/api/auth/phone/request-otp/", &json!({ "phone_number": PHONE }));
    shop.ask("auth", &request).await?;
    let code = shop.descope.inbox(PHONE).into_iter().next().and_then(|message| message.code);
    let body = json!({ "phone_number": PHONE, "otp_code": code.map_or(Value::Null, Value::String) });
    Ok(Request::post("/api/auth/phone/verify-otp/", &body))
}
