//! Writes each event as one line of JSON, with what is known of its request.

use std::{fmt::Debug, io::Write};

use chrono::{SecondsFormat, Utc};
use tracing::{
    Event, Level, Subscriber,
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
        let mut line = Line { text: Vec::with_capacity(1024), level: about.level(), is_begun: false };
        line.text.push(b'{');
        event.record(&mut line);
        line.begin();
        line.extend(&[r#","target":""#, about.target(), r#"""#]);
        if let Some(request) = request::known() {
            line.extend(&[r#","span":"#, &request]);
        }
        line.extend(&["}\n"]);
        // In one write, so that lines do not mix. A line that cannot be written has no other place to go.
        let _ = self.writer.make_writer_for(about).write_all(&line.text);
    }
}

/// A line up to the fields that were recorded so far.
struct Line<'a> {
    text: Vec<u8>,
    level: &'a Level,
    /// Whether time and level are written, which come before all other fields.
    is_begun: bool,
}

impl Line<'_> {
    fn extend(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.extend_from_slice(part.as_bytes());
        }
    }

    fn begin(&mut self) {
        if !self.is_begun {
            self.is_begun = true;
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, false);
            self.extend(&[r#""timestamp":""#, &now, r#"","level":""#, self.level.as_str(), r#"""#]);
        }
    }

    fn name(&mut self, field: &Field) {
        self.begin();
        self.extend(&[r#",""#, field.name(), r#"":"#]);
    }

    /// `value` is JSON.
    fn add(&mut self, field: &Field, value: impl std::fmt::Display) {
        self.name(field);
        // Writing to memory does not fail.
        let _ = write!(self.text, "{value}");
    }

    fn add_text(&mut self, field: &Field, text: &str) {
        if field.name() == METRICS {
            // Behind the brace, in front of what is written already.
            let written = self.text.split_off(1);
            self.extend(&[text, ","]);
            self.text.extend_from_slice(&written);
        } else {
            self.name(field);
            let _ = serde_json::to_writer(&mut self.text, text);
        }
    }
}

impl Visit for Line<'_> {
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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing::level_filters::LevelFilter;

    use super::super::writing;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The line that `work` writes.
    fn line_of(work: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        tracing::subscriber::with_default(writing(LevelFilter::INFO, move || writer.clone()), work);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_metrics_of_a_line_come_first_and_the_rest_is_as_without_them() {
        let metrics = r#""_aws":{"Timestamp":1},"Requests":1"#;
        let counted = line_of(|| tracing::info!(metrics, status = 200_u16, path = "a\"b", "request answered"));
        let plain = line_of(|| tracing::info!(status = 200_u16, path = "a\"b", "request answered"));
        assert!(counted.starts_with(&format!("{{{metrics},\"timestamp\":")), "{counted}");
        assert!(counted.ends_with("}\n") && plain.starts_with("{\"timestamp\":"), "{plain}");
        let parsed = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line["timestamp"].take();
            line
        };
        let mut expected = parsed(&plain);
        assert_eq!(
            expected,
            json!({
                "timestamp": null, "level": "INFO", "message": "request answered", "status": 200, "path": "a\"b",
                "target": "shared::logging::lines::tests",
            })
        );
        expected["_aws"] = json!({ "Timestamp": 1 });
        expected["Requests"] = json!(1);
        assert_eq!(parsed(&counted), expected);
    }
}
