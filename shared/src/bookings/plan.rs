//! A booking request: parsed from the body, validated against the facts, priced. Pure functions.

use chrono::{NaiveDate, NaiveTime};
use utoipa::ToSchema;

use super::{
    appointment::{self, Rules},
    facts::{Facts, Model, Question, Service},
    notes,
    slot_usage::Visit,
    status::{BookingSource, PaymentMethod, ServiceLocation},
};
use crate::{
    Error, Faults, Result,
    email::Email,
    http::{Fields, Whole, body},
    idempotency::Key,
    ids::{ServiceId, VehicleModelId},
    phone::Phone,
};

/// Maximum length of a customer's name, in characters.
pub const LONGEST_NAME: usize = 100;
/// Maximum length of the address of a home visit, in characters.
pub const LONGEST_ADDRESS: usize = 500;
/// How many services one booking may have.
pub const MOST_SERVICES: usize = 20;

/// Whether a booking may be paid online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlinePayment {
    Enabled,
    Disabled,
}

impl From<bool> for OnlinePayment {
    fn from(is_enabled: bool) -> Self {
        if is_enabled { Self::Enabled } else { Self::Disabled }
    }
}

body! {
    /// A booking request. Unknown keys are ignored.
    #[derive(Debug, ToSchema)]
    #[schema(as = BookingRequest, example = json!({
        "customer_name": "John Doe", "customer_phone": "98765 43210", "customer_email": "john@example.com",
        "vehicle_model_id": 7, "service_ids": [4, 6], "service_location": "home", "address": "123 Main St",
        "appointment_date": "2026-12-02", "appointment_time": "10:00", "payment_method": "cash", "notes": "Ring twice"
    }))]
    pub struct Draft from fields {
        /// What a retry must send again.
        #[schema(ignore)]
        pub whole: Whole = fields.whole(),
        #[schema(value_type = Option<String>)]
        pub customer_name: String = fields.text("customer_name", LONGEST_NAME).unwrap_or_default(),
        /// A phone number in any spelling.
        #[schema(value_type = String)]
        pub customer_phone: Option<Phone> = fields.value("customer_phone"),
        #[schema(format = "email")]
        pub customer_email: Option<String> = email(fields),
        #[schema(value_type = Option<i64>)]
        pub vehicle_model_id: Option<VehicleModelId> = fields.id("vehicle_model_id"),
        /// Each must have a price for the model.
        #[schema(value_type = Vec<i64>)]
        pub service_ids: Option<Vec<ServiceId>> = fields.ids("service_ids", MOST_SERVICES),
        #[schema(value_type = ServiceLocation)]
        pub service_location: Option<ServiceLocation> = fields.value("service_location"),
        /// Needed for a home visit.
        #[schema(value_type = Option<String>)]
        pub address: String = address(fields, service_location),
        /// A day on the shop's calendar.
        #[schema(value_type = String)]
        pub appointment_date: Option<NaiveDate> = fields.value("appointment_date"),
        /// The start of a slot on the shop's clock.
        #[schema(value_type = String)]
        pub appointment_time: Option<NaiveTime> = fields.value("appointment_time"),
        /// `razorpay` only while online payments are enabled; `cash` if it is left out.
        #[schema(value_type = Option<PaymentMethod>)]
        pub payment_method: PaymentMethod = fields.value_if_any("payment_method").unwrap_or(PaymentMethod::Cash),
        #[schema(value_type = Option<String>)]
        pub notes: String = fields.lines_or_empty("notes", notes::LONGEST).unwrap_or_default(),
        /// `web` or `app`; with a staff credential also `counter`, which it is by default, or `phone`.
        pub source: Option<BookingSource> = fields.value_if_any("source"),
        /// With a staff credential: whether a full time is taken as well. Ignored otherwise.
        #[schema(value_type = bool)]
        pub force: Option<bool> = fields.flag("force"),
        /// As the header `Idempotency-Key`, which wins over it.
        #[schema(value_type = Option<String>)]
        pub idempotency_key: Option<Key> = Key::in_body(fields),
        /// Faults found while parsing. A column that is at fault is empty, and never stored: a draft with faults is not
        /// planned.
        #[schema(ignore)]
        pub faults: Faults = std::mem::take(&mut fields.faults),
    }
}

fn email(fields: &mut Fields) -> Option<String> {
    let email = fields.text_or_empty("customer_email", Email::MAX).filter(|email| !email.is_empty())?;
    if email.parse::<Email>().is_err() {
        fields.faults.add("customer_email", "Enter a valid email address.");
    }
    Some(email)
}

fn address(fields: &mut Fields, location: Option<ServiceLocation>) -> String {
    let address = fields.lines_or_empty("address", LONGEST_ADDRESS);
    if location == Some(ServiceLocation::Home) && address.as_deref() == Some("") {
        fields.faults.add("address", "This field is required.");
    }
    address.unwrap_or_default()
}

/// A booking that is valid except for slot capacity, which the database enforces.
#[derive(Debug)]
pub struct Plan {
    /// What is stored as it was sent.
    pub draft: Draft,
    pub customer_phone: Phone,
    pub model: Model,
    pub visit: Visit,
    pub lines: Vec<Line>,
    pub total_paise: i64,
}

/// A service at its booked price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub service_id: ServiceId,
    pub service_name: String,
    pub category_name: String,
    pub price_paise: i64,
}

impl Draft {
    /// The facts needed to validate the draft.
    pub fn question(&self) -> Question<'_> {
        // A missing date is already a fault, so the default is never booked.
        let date = self.appointment_date.unwrap_or_default();
        let services = self.service_ids.as_deref().unwrap_or_default();
        Question { from: date, to: date, model: self.vehicle_model_id, services, pool: None }
    }

    /// Validates the draft against the facts; reports all faults at once.
    pub fn plan(mut self, facts: &Facts, online: OnlinePayment, rules: Rules) -> Result<Plan> {
        let mut faults = std::mem::take(&mut self.faults);
        if self.payment_method == PaymentMethod::Razorpay && online == OnlinePayment::Disabled {
            let sentence = "Razorpay payment is currently disabled. Please use cash payment.";
            faults.add("payment_method", sentence);
        }
        if let (Some(id), None) = (self.vehicle_model_id, &facts.model) {
            faults.add("vehicle_model_id", format!("Invalid pk \"{id}\" - object does not exist."));
        }
        let wanted = self.service_ids.as_deref().unwrap_or_default();
        let services = offered(wanted, facts, self.vehicle_model_id.is_some(), &mut faults);
        let duration_minutes = services.iter().map(|service| service.duration_minutes).sum();
        let mut occupied = None;
        if let (Some(date), Some(time)) = (self.appointment_date, self.appointment_time) {
            match appointment::check((date, time), duration_minutes, facts.days.get(&date), &facts.window, rules) {
                Ok(taken) => occupied = Some(taken),
                Err(fault) => faults.merge(fault),
            }
        }
        let lines: Vec<Line> = services.into_iter().filter_map(Line::of).collect();
        let complete = (|| {
            Some(Plan {
                customer_phone: self.customer_phone.clone()?,
                model: facts.model.clone()?,
                visit: Visit {
                    location: self.service_location?,
                    date: self.appointment_date?,
                    time: self.appointment_time?,
                    duration_minutes,
                    occupied: occupied?,
                },
                total_paise: lines.iter().map(|line| line.price_paise).sum(),
                lines,
                draft: self,
            })
        })();
        match complete {
            Some(plan) => faults.or(plan),
            None => Err(Error::Validation(faults)),
        }
    }
}

impl Line {
    fn of(service: &Service) -> Option<Self> {
        Some(Self {
            service_id: service.id,
            service_name: service.name.clone(),
            category_name: service.category.clone(),
            price_paise: service.price_paise?,
        })
    }
}

/// The services in the requested order. A service that does not exist, or is not offered for the model, is a fault.
pub fn offered<'a>(
    wanted: &[ServiceId],
    facts: &'a Facts,
    is_for_model: bool,
    faults: &mut Faults,
) -> Vec<&'a Service> {
    let mut services = Vec::with_capacity(wanted.len());
    for id in wanted {
        match facts.services.iter().find(|service| service.id == *id) {
            None => faults.add("service_ids", format!("Invalid pk \"{id}\" - object does not exist.")),
            Some(service) if is_for_model && facts.model.is_some() && service.price_paise.is_none() => {
                faults.add("service_ids", format!("{} is not offered for this vehicle model.", service.name));
            }
            Some(service) => services.push(service),
        }
    }
    services
}
