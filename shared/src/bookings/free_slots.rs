//! Free slots: remaining capacity by start time, and the free start times nearest to a full one.

use chrono::{NaiveDateTime, NaiveTime};

use super::{
    appointment::OpenDay,
    facts::{self, Facts, Question},
    slot_usage::Visit,
};
use crate::{Result, database::Database};

/// Free start times for a visit that found no room, nearest first.
pub async fn nearest(database: &Database, visit: &Visit) -> Result<Vec<NaiveDateTime>> {
    const SHOWN: usize = 5;
    let (from, to) = facts::around(visit.date);
    let question = Question { from, to, pool: Some(visit.location), ..Question::day(visit.date) };
    let facts = facts::load(&database.pool(), question).await?;
    let capacity = facts.capacity(visit.location);
    let mut free: Vec<NaiveDateTime> = facts
        .days
        .values()
        .filter(|day| facts.window.holds_day(day.date))
        .flat_map(|day| day.slots().into_iter().map(move |time| (day, time)))
        .filter(|(day, time)| available(day, *time, visit.duration_minutes, capacity, &facts) > 0)
        .map(|(day, time)| day.date.and_time(time))
        .collect();
    let wanted = visit.date.and_time(visit.time);
    free.sort_by_key(|start| ((*start - wanted).abs(), *start));
    free.truncate(SHOWN);
    Ok(free)
}

/// How many more jobs of this duration can start at this time in the pool of the facts: the minimum over the job's quarters.
pub fn available(day: &OpenDay, start: NaiveTime, duration: u32, capacity: i32, facts: &Facts) -> i32 {
    if !facts.window.gives_notice(day.date, start) {
        return 0;
    }
    let Some(occupied) = day.occupied(start, duration) else { return 0 };
    let used = |quarter| facts.usage.get(&(day.date, quarter)).copied().unwrap_or_default();
    (capacity - occupied.quarters().map(used).max().unwrap_or_default()).max(0)
}
