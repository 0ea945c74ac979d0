//! Writes each event as one line of JSON, with what is known of its request.

use std::{
    fmt::{Debug, Write as _},
    io::Write as _,
};

use chrono::{SecondsFormat, Utc};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

use super::request;

/// The field of an event that holds members of the line's object, written as JSON: those of its metrics. They come first in
/// the line.
const METRICS: &str = "metrics";

/// The layer that writes the lines.
pub(super) struct Lines<W> {
    pub(super) writer: W,
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let mut members = Members { metrics: String::new(), fields: String::with_capacity(256) };
        event.record(&mut members);
        let mut line = String::with_capacity(members.metrics.len() + members.fields.len() + 400);
        line.push('{');
        if !members.metrics.is_empty() {
            line.push_str(&members.metrics);
            line.push(',');
        }
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, false);
        line.extend([r#""timestamp":""#, &now, r#"","level":""#, about.level().as_str(), r#"""#]);
        line.extend([&members.fields, r#","target":""#, about.target(), r#"""#]);
        if let Some(request) = request::known() {
            line.extend([r#","span":"#, &request]);
        }
        line.push_str("}\n");
        // In one write, so that lines do not mix. A line that cannot be written has no other place to go.
        let _ = self.writer.make_writer_for(about).write_all(line.as_bytes());
    }
}

/// The fields of an event.
struct Members {
    metrics: String,
    /// Each with a comma before it.
    fields: String,
}

impl Members {
    /// `value` is JSON.
    fn add(&mut self, field: &Field, value: impl std::fmt::Display) {
        self.fields.extend([r#",""#, field.name(), r#"":"#]);
        // Writing to a string does not fail.
        let _ = write!(self.fields, "{value}");
    }

    fn add_text(&mut self, field: &Field, text: &str) {
        if field.name() == METRICS {
            self.metrics.push_str(text);
        } else if let Ok(text) = serde_json::to_string(text) {
            self.add(field, text);
        }
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Ok(value) = serde_json::to_string(&value) {
            self.add(field, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add_text(field, &format!("{value:?}"));
    }
}
