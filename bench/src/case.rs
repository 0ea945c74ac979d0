//! The measured cases: each is one kind of request to one function.

use crate::{
    Result, prepared,
    request::Request,
    shop::{BUSY_DAY, LINK, PANEL_COOKIE, Shop, next_monday},
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
    /// All services, from the cache.
    ServicesList,
    ShopInfo,
    /// The page behind the link of a message.
    CustomersPage,
    /// The order that a new booking is paid by.
    PaymentOrder,
    /// Razorpay tells that it was paid.
    PaymentWebhook,
    /// `WhatsApp` tells what a customer writes.
    MessageWebhook,
    /// Each of the jobs in turn, after a new booking.
    Jobs,
    /// All prices of the catalogue change.
    Import,
    /// The `OpenAPI` document.
    Document,
}

impl Case {
    /// The cases that are timed, the bare ones first.
    pub(crate) const TIMED: [Self; 10] = [
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

    /// The cases of all other functions, of which the memory is measured.
    pub(crate) const OTHERS: [Self; 9] = [
        Self::ServicesList,
        Self::ShopInfo,
        Self::CustomersPage,
        Self::PaymentOrder,
        Self::PaymentWebhook,
        Self::MessageWebhook,
        Self::Jobs,
        Self::Import,
        Self::Document,
    ];

    /// The cases of functions that are deployed.
    pub(crate) fn of_functions() -> impl Iterator<Item = Self> {
        let timed = Self::TIMED.into_iter().filter(|case| !matches!(case, Self::Bare | Self::BareRedis));
        timed.chain(Self::OTHERS)
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
            Self::ServicesList => "services",
            Self::ShopInfo => "shop",
            Self::CustomersPage => "customer's page",
            Self::PaymentOrder => "payment order",
            Self::PaymentWebhook => "payment webhook",
            Self::MessageWebhook => "message webhook",
            Self::Jobs => "jobs",
            Self::Import => "import",
            Self::Document => "document",
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
            Self::ServicesList => "services",
            Self::ShopInfo => "shop",
            Self::CustomersPage => "manage",
            Self::PaymentOrder | Self::PaymentWebhook => "payments",
            Self::MessageWebhook => "messages",
            Self::Jobs => "jobs",
            Self::Import => "migrate",
            Self::Document => "status",
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
            Self::OtpVerification => prepared::verification(shop).await?,
            Self::ServicesList => Request::get("/api/services/?vehicle_model_id=7"),
            Self::ShopInfo => Request::get("/api/shop-info/"),
            Self::CustomersPage => Request::get(format!("/b/{LINK}/")),
            Self::PaymentOrder => prepared::order(shop).await?,
            Self::PaymentWebhook => prepared::webhook(shop).await?,
            Self::MessageWebhook => prepared::message(shop),
            Self::Jobs => prepared::job(shop).await?,
            Self::Import => prepared::import(shop)?,
            Self::Document => Request::get("/api/schema/"),
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
