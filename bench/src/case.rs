//! What is measured: one kind of request to one function each.

use serde_json::{Value, json};

use crate::{
    Result,
    instance::Instance,
    request::Request,
    shop::{Shop, next_monday},
};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Case {
    /// A bare function.
    Bare,
    /// A bare function that answers with what one Redis `GET` finds: the bytes of the cached read.
    BareRedis,
    /// Models of a brand, from the cache.
    CachedRead,
    /// The same, not in the cache.
    UncachedRead,
    /// The free slots of a day for a job.
    Slots,
    /// A new booking.
    Booking,
    /// The first page of all bookings, in the biggest database.
    StaffList,
    /// A one-time code checked, its owner signed in.
    OtpVerification,
}

impl Case {
    /// All there are, the bare ones first.
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::BareRedis,
        Self::CachedRead,
        Self::UncachedRead,
        Self::Slots,
        Self::Booking,
        Self::StaffList,
        Self::OtpVerification,
    ];

    /// What tables call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare function",
            Self::BareRedis => "bare, one Redis GET",
            Self::CachedRead => "cached read",
            Self::UncachedRead => "uncached read",
            Self::Slots => "slots",
            Self::Booking => "booking",
            Self::StaffList => "staff list",
            Self::OtpVerification => "OTP verification",
        }
    }

    /// The function that answers it.
    pub(crate) const fn binary(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareRedis => "bare_redis",
            Self::CachedRead | Self::UncachedRead => "vehicles",
            Self::Slots | Self::Booking => "bookings",
            Self::StaffList => "staff",
            Self::OtpVerification => "auth",
        }
    }

    /// How many times as many requests as of the slower ones make a round.
    pub(crate) const fn weight(self) -> usize {
        match self {
            Self::Bare | Self::BareRedis | Self::CachedRead => 5,
            _ => 1,
        }
    }

    /// The next request of this kind. `auth` asks for one-time codes.
    pub(crate) async fn request(self, shop: &mut Shop, auth: &mut Instance) -> Result<Request> {
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
            Self::OtpVerification => verification(shop, auth).await?,
        })
    }
}

/// Honda's scooters.
const MODELS: &str = "/api/vehicle-models/?vehicle_brand=2";
/// Whoever signs in has done so before.
const PHONE: &str = "+919000000000";

async fn verification(shop: &mut Shop, auth: &mut Instance) -> Result<Request> {
    let request = Request::post("/api/auth/phone/request-otp/", &json!({ "phone_number": PHONE }));
    request.check(&auth.invoke(request.event()).await?)?;
    let code = shop.descope.inbox(PHONE).into_iter().next().and_then(|message| message.code);
    let body = json!({ "phone_number": PHONE, "otp_code": code.map_or(Value::Null, Value::String) });
    Ok(Request::post("/api/auth/phone/verify-otp/", &body))
}
