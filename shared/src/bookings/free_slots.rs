//! What is still free: how often a job can start at a time, and the nearest times at which one can.

use chrono::{NaiveDateTime, NaiveTime};

use super::{
    appointment::OpenDay,
    facts::{self, Facts, Question},
    slot_usage::{self, Job, Usage},
};
use crate::{Result, database::Database};

/// The free starts nearest to that of a job which found its slots full, nearest first.
pub async fn nearest(database: &Database, job: &Job) -> Result<Vec<NaiveDateTime>> {
    const SHOWN: usize = 5;
    let mut connection = database.pool().acquire().await?;
    let (from, to) = facts::around(job.date);
    let facts = facts::load(&mut *connection, Question { from, to, ..Question::day(job.date) }).await?;
    let usage = slot_usage::load(&mut *connection, job.location, from, to).await?;
    let capacity = facts.capacity(job.location);
    let mut free: Vec<NaiveDateTime> = facts
        .days
        .values()
        .filter(|day| facts.window.holds_day(day.date))
        .flat_map(|day| day.slots().into_iter().map(move |time| (day, time)))
        .filter(|(day, time)| available(day, *time, job.duration_minutes, capacity, &facts, &usage) > 0)
        .map(|(day, time)| day.date.and_time(time))
        .collect();
    let wanted = job.date.and_time(job.time);
    free.sort_by_key(|start| ((*start - wanted).abs(), *start));
    free.truncate(SHOWN);
    Ok(free)
}

/// How many more jobs of this length can start here: as many as the fullest of its slots takes.
pub fn available(day: &OpenDay, start: NaiveTime, duration: u32, capacity: i32, facts: &Facts, usage: &Usage) -> i32 {
    if !facts.window.gives_notice(day.date, start) {
        return 0;
    }
    let slots = day.slots_for(start, duration).unwrap_or_default();
    let free = |slot| capacity - usage.get(&(day.date, slot)).copied().unwrap_or_default();
    slots.into_iter().map(free).min().unwrap_or_default().max(0)
}
