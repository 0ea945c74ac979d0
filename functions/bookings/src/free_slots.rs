//! Free slots of a day: the times at which a booking can start.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use shared::{
    Faults, Result,
    bookings::{
        facts::{self, Question},
        free_slots::available,
        plan::{MOST_SERVICES, offered},
        status::ServiceLocation,
    },
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Fields, Query, Read, Routes, routes},
    ids::{ServiceId, VehicleModelId},
    throttle::Throttle,
};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Limits};

pub(crate) fn routes() -> Routes<App> {
    routes!(list)
}

/// A start on the day that was asked for.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Slot)]
struct Slot {
    /// On the shop's clock.
    time: NaiveTime,
    /// How many jobs the pool takes at once.
    capacity: i32,
    /// How many more such jobs can start here; 0 where the job does not fit or the start is too near.
    available: i32,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct SlotsOf {
    /// A day on the shop's calendar.
    date: NaiveDate,
    /// Home visits and shop visits have capacities of their own.
    #[param(inline)]
    service_location: ServiceLocation,
    /// With it, every service must be offered for this model.
    #[param(value_type = Option<i64>)]
    vehicle_model_id: Option<VehicleModelId>,
    /// The job, such as `1,2`; without, a job of one slot.
    #[param(value_type = Option<String>, example = "1,2")]
    service_ids: Vec<ServiceId>,
}

impl Read for SlotsOf {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.split_list("service_ids");
        let date = fields.value("date");
        let service_location = fields.value("service_location");
        let vehicle_model_id = fields.id_if_sent("vehicle_model_id");
        let service_ids =
            if fields.has("service_ids") { fields.ids("service_ids", MOST_SERVICES)? } else { Vec::new() };
        Some(Self { date: date?, service_location: service_location?, vehicle_model_id, service_ids })
    }
}

/// Lists the starts of a day with what is free.
///
/// Closed, past and too distant days have none. With services, for a job of their length.
#[utoipa::path(
    get, path = "/slots", operation_id = "list_slots", tag = "Bookings", params(SlotsOf),
    responses((status = 200, body = Envelope<Vec<Slot>>), (status = 400, body = ErrorBody))
)]
async fn list(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    address: ClientAddress,
    Query(wanted): Query<SlotsOf>,
) -> Result<Envelope<Vec<Slot>>> {
    throttle.check(&[limits.public_reads.on(&address.0)]).await?;
    let question = Question {
        model: wanted.vehicle_model_id,
        services: &wanted.service_ids,
        pool: Some(wanted.service_location),
        ..Question::day(wanted.date)
    };
    let facts = facts::load(&database.pool(), question).await?;
    let mut faults = Faults::default();
    if let (Some(id), None) = (wanted.vehicle_model_id, &facts.model) {
        faults.add("vehicle_model_id", format!("Invalid pk \"{id}\" - object does not exist."));
    }
    let services = offered(&wanted.service_ids, &facts, wanted.vehicle_model_id.is_some(), &mut faults);
    // Without services, the shortest job, which takes one slot.
    let duration = services.iter().map(|service| service.duration_minutes).sum::<u32>().max(1);
    faults.or(())?;
    let message = "Slots retrieved successfully";
    let day = facts.days.get(&wanted.date).filter(|_| facts.window.holds_day(wanted.date));
    let Some(day) = day else {
        return Ok(Envelope::new(message, Vec::new()));
    };
    let capacity = facts.capacity(wanted.service_location);
    let slot = |time| Slot { time, capacity, available: available(day, time, duration, capacity, &facts) };
    Ok(Envelope::new(message, day.slots().into_iter().map(slot).collect()))
}
