//! A document of CloudWatch's embedded metric format, written as the members of a JSON object.

use std::{
    fmt::{Display, Write},
    time::{SystemTime, UNIX_EPOCH},
};

/// The unit of a metric, as CloudWatch names it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

/// Metrics of one line. Their names need no escaping in JSON.
#[derive(Debug)]
pub(super) struct Document {
    /// The definitions of the metrics, separated by commas.
    definitions: String,
    /// The members with their values.
    values: String,
    /// The definitions of metrics that have a dimension too, and its name.
    repeated: Option<(String, &'static str)>,
}

impl Default for Document {
    fn default() -> Self {
        // Enough for most lines.
        Self { definitions: String::with_capacity(256), values: String::with_capacity(128), repeated: None }
    }
}

impl Document {
    pub(super) fn metric(&mut self, name: &str, unit: Unit, value: impl Display) {
        let comma = if self.definitions.is_empty() { "" } else { "," };
        let definition = [comma, r#"{"Name":""#, name, r#"","Unit":""#, unit.name(), r#""}"#];
        self.definitions.extend(definition);
        self.values.extend([r#",""#, name, r#"":"#]);
        // Writing to a string does not fail.
        let _ = write!(self.values, "{value}");
    }

    /// Counts the metrics so far a second time, by this dimension.
    pub(super) fn repeat_by(&mut self, dimension: &'static str, value: &str) {
        self.repeated = Some((self.definitions.clone(), dimension));
        let value = serde_json::to_string(value).unwrap_or_default();
        let _ = write!(self.values, r#","{dimension}":{value}"#);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The members of the object, without its braces.
    pub(super) fn members(&self, namespace: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let namespace = serde_json::to_string(namespace).unwrap_or_default();
        let Self { definitions, values, repeated } = self;
        let mut text = String::with_capacity(2 * definitions.len() + values.len() + 256);
        let _ = write!(text, r#""_aws":{{"Timestamp":{now},"CloudWatchMetrics":[{{"Namespace":"#);
        text.extend([&namespace, r#","Dimensions":[[]],"Metrics":["#, definitions, "]}"]);
        if let Some((definitions, dimension)) = repeated {
            text.extend([r#",{"Namespace":"#, &namespace, r#","Dimensions":[[""#, dimension]);
            text.extend([r#""]],"Metrics":["#, definitions, "]}"]);
        }
        text.extend(["]}", values]);
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(document: &Document) -> Value {
        let mut parsed: Value = serde_json::from_str(&format!("{{{}}}", document.members("Shop \"A\""))).unwrap();
        assert!(parsed["_aws"]["Timestamp"].take().as_u64().unwrap() > 1_700_000_000_000, "in milliseconds");
        parsed
    }

    #[test]
    fn requests_are_counted_with_and_without_their_route() {
        let mut document = Document::default();
        document.metric("Requests", Unit::Count, 1);
        document.metric("Latency", Unit::Milliseconds, 1.25);
        document.repeat_by("Route", "GET /api/\"x\"");
        document.metric("CacheHits", Unit::Count, 2);
        let of_requests =
            json!([{ "Name": "Requests", "Unit": "Count" }, { "Name": "Latency", "Unit": "Milliseconds" }]);
        let all = json!([
            { "Name": "Requests", "Unit": "Count" }, { "Name": "Latency", "Unit": "Milliseconds" },
            { "Name": "CacheHits", "Unit": "Count" },
        ]);
        let expected = json!({
            "_aws": { "Timestamp": null, "CloudWatchMetrics": [
                { "Namespace": "Shop \"A\"", "Dimensions": [[]], "Metrics": all },
                { "Namespace": "Shop \"A\"", "Dimensions": [["Route"]], "Metrics": of_requests },
            ]},
            "Requests": 1, "Latency": 1.25, "Route": "GET /api/\"x\"", "CacheHits": 2,
        });
        assert_eq!(parsed(&document), expected);
    }

    #[test]
    fn a_gauge_of_zero_is_a_value_too() {
        let mut document = Document::default();
        assert!(document.is_empty());
        document.metric("OutboxAge", Unit::Seconds, 0);
        let expected = json!({
            "_aws": { "Timestamp": null, "CloudWatchMetrics": [{
                "Namespace": "Shop \"A\"", "Dimensions": [[]], "Metrics": [{ "Name": "OutboxAge", "Unit": "Seconds" }],
            }]},
            "OutboxAge": 0,
        });
        assert_eq!(parsed(&document), expected);
    }
}
