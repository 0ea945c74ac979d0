//! Row ids: one type per table, so that an order's id cannot be passed as a booking's.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$documentation:meta])* $name:ident;)*) => {
        $(
            $(#[$documentation])*
            #[derive(
                Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
            )]
            #[serde(transparent)]
            #[sqlx(transparent)]
            pub struct $name(pub i64);

            impl From<i64> for $name {
                fn from(id: i64) -> Self {
                    Self(id)
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.fmt(formatter)
                }
            }
        )*
    };
}

ids! {
    /// Of `bookings`.
    BookingId;
    /// Of `booking_services`.
    BookedServiceId;
    /// Of `booking_links`.
    LinkId;
    /// Of `customers`.
    CustomerId;
    /// Of `payments`: a Razorpay order, or cash.
    PaymentId;
    /// Of `captures`: money received on a payment.
    CaptureId;
    /// Of `refunds`.
    RefundId;
    /// Of `outbox`.
    MessageId;
    /// Of `messages`.
    SendingId;
    /// Of `users`.
    UserId;
    /// Of `user_sessions`.
    SessionId;
    /// Of `staff_keys`.
    StaffKeyId;
    /// Of `vehicle_types`.
    VehicleTypeId;
    /// Of `vehicle_brands`.
    VehicleBrandId;
    /// Of `vehicle_models`.
    VehicleModelId;
    /// Of `service_categories`.
    ServiceCategoryId;
    /// Of `services`.
    ServiceId;
    /// Of `service_prices`.
    ServicePriceId;
    /// Of `shops`.
    ShopId;
    /// Of `audit_events`.
    AuditEventId;
}
