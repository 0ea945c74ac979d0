//! What a booking request comes to: read from the body, checked against the facts, priced. Pure rules.

use chrono::{NaiveDate, NaiveTime};
use shared::{
    Faults, Result,
    bookings::{
        appointment,
        facts::{Facts, Model, Question, Service},
        slot_usage::Job,
        status::{PaymentMethod, ServiceLocation},
    },
    email::Email,
    http::{Fields, Read},
    phone::Phone,
};
use utoipa::ToSchema;

use crate::Payments;

/// A booking request. Unknown keys are ignored.
#[derive(Debug, ToSchema)]
#[schema(as = BookingRequest, example = json!({
    "customer_name": "John Doe", "customer_phone": "98765 43210", "customer_email": "john@example.com",
    "vehicle_model_id": 7, "service_ids": [4, 6], "service_location": "home", "address": "123 Main St",
    "appointment_date": "2026-12-02", "appointment_time": "10:00", "payment_method": "cash", "notes": "Ring twice"
}))]
pub(crate) struct Draft {
    pub(crate) customer_name: Option<String>,
    /// A phone number in any spelling.
    #[schema(value_type = String)]
    pub(crate) customer_phone: Option<Phone>,
    pub(crate) customer_email: Option<String>,
    pub(crate) vehicle_model_id: Option<i64>,
    /// Each must have a price for the model.
    #[schema(value_type = Vec<i64>)]
    pub(crate) service_ids: Option<Vec<i64>>,
    #[schema(value_type = ServiceLocation)]
    pub(crate) service_location: Option<ServiceLocation>,
    /// Needed for a home visit.
    pub(crate) address: Option<String>,
    /// A day on the shop's calendar.
    #[schema(value_type = String)]
    pub(crate) appointment_date: Option<NaiveDate>,
    /// The start of a slot on the shop's clock.
    #[schema(value_type = String)]
    pub(crate) appointment_time: Option<NaiveTime>,
    /// `razorpay` only while online payments are enabled.
    #[schema(value_type = PaymentMethod)]
    pub(crate) payment_method: Option<PaymentMethod>,
    pub(crate) notes: Option<String>,
    /// What could not be read.
    #[schema(ignore)]
    pub(crate) faults: Faults,
    /// Of the whole body, independent of order and spacing.
    #[schema(ignore)]
    pub(crate) sha256: [u8; 32],
}

impl Read for Draft {
    fn read(fields: &mut Fields) -> Option<Self> {
        let sha256 = fields.sha256();
        let mut draft = Self {
            sha256,
            customer_name: fields.text("customer_name", 100),
            customer_phone: fields.value("customer_phone"),
            customer_email: fields.text_or_empty("customer_email", Email::MAX),
            vehicle_model_id: fields.integer("vehicle_model_id"),
            service_ids: fields.integers("service_ids", 20),
            service_location: fields.value("service_location"),
            address: fields.text_or_empty("address", 500),
            appointment_date: fields.value("appointment_date"),
            appointment_time: fields.value("appointment_time"),
            payment_method: fields.value("payment_method"),
            notes: fields.text_or_empty("notes", 1000),
            faults: std::mem::take(&mut fields.faults),
        };
        if draft.customer_email.as_deref().is_some_and(|email| !email.is_empty() && email.parse::<Email>().is_err()) {
            draft.faults.add("customer_email", "Enter a valid email address.");
        }
        // A home visit needs an address.
        if draft.service_location == Some(ServiceLocation::Home) && draft.address.as_deref() == Some("") {
            draft.faults.add("address", "This field is required.");
        }
        Some(draft)
    }
}

/// A booking that obeys every rule but that of free capacity, which only the database can promise.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) customer_name: String,
    pub(crate) customer_phone: Phone,
    pub(crate) customer_email: Option<String>,
    pub(crate) model: Model,
    pub(crate) job: Job,
    pub(crate) address: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) total_paise: i64,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) notes: String,
}

/// A service at the price that it is booked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) service_id: i64,
    pub(crate) service_name: String,
    pub(crate) category_name: String,
    pub(crate) price_paise: i64,
}

impl Draft {
    /// What must be known to check it.
    pub(crate) fn question(&self) -> Question<'_> {
        // Without a day, any day does: that it is missing has been noted.
        let date = self.appointment_date.unwrap_or_default();
        let services = self.service_ids.as_deref().unwrap_or_default();
        Question { from: date, to: date, model: self.vehicle_model_id, services }
    }

    /// Checks what was read against the facts. All faults are told at once.
    pub(crate) fn plan(self, facts: &Facts, payments: Payments) -> Result<Plan> {
        let mut faults = self.faults;
        if self.payment_method == Some(PaymentMethod::Razorpay) && payments == Payments::Disabled {
            let sentence = "Razorpay payment is currently disabled. Please use cash payment.";
            faults.add("payment_method", sentence);
        }
        if let (Some(id), None) = (self.vehicle_model_id, &facts.model) {
            faults.add("vehicle_model_id", format!("Invalid pk \"{id}\" - object does not exist."));
        }
        let wanted = self.service_ids.as_deref().unwrap_or_default();
        let services = offered(wanted, facts, self.vehicle_model_id.is_some(), &mut faults);
        let duration_minutes = services.iter().map(|service| service.duration_minutes).sum();
        let mut slots = Vec::new();
        if let (Some(date), Some(time)) = (self.appointment_date, self.appointment_time) {
            match appointment::check((date, time), duration_minutes, facts.days.get(&date), &facts.window) {
                Ok(taken) => slots = taken,
                Err(fault) => faults.merge(fault),
            }
        }
        let lines: Vec<Line> = services.into_iter().filter_map(Line::of).collect();
        let complete = (|| {
            Some(Plan {
                customer_name: self.customer_name?,
                customer_phone: self.customer_phone?,
                customer_email: self.customer_email.filter(|email| !email.is_empty()),
                model: facts.model.clone()?,
                job: Job {
                    location: self.service_location?,
                    date: self.appointment_date?,
                    time: self.appointment_time?,
                    duration_minutes,
                    slots,
                },
                address: self.address?,
                total_paise: lines.iter().map(|line| line.price_paise).sum(),
                lines,
                payment_method: self.payment_method?,
                notes: self.notes?,
            })
        })();
        match complete {
            Some(plan) => faults.or(plan),
            None => Err(shared::Error::Validation(faults)),
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

/// The services in the order in which they were asked for; one that does not exist, or is not offered for the model,
/// is a fault.
pub(crate) fn offered<'a>(
    wanted: &[i64],
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
