//! Integers and lists of them, in a body or query.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::{Fields, NULL, REQUIRED, type_name};

const NOT_AN_INTEGER: &str = "A valid integer is required.";

impl Fields {
    /// An integer; `"3"` is accepted for `3`.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        self.ask(name, true, || json!({ "type": "integer", "format": "int64" }));
        self.number(name)
    }

    /// As [`Self::integer`], for a field that may be missing.
    pub fn integer_if_sent(&mut self, name: &str) -> Option<i64> {
        self.ask(name, false, || json!({ "type": "integer", "format": "int64" }));
        if self.values.get(name).is_none_or(Value::is_null) { None } else { self.number(name) }
    }

    /// An integer in a range, if it was sent.
    pub fn integer_within(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        self.ask(name, false, || json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }));
        if !self.values.contains_key(name) {
            return None;
        }
        let number = self.number(name)?;
        if number < *range.start() {
            return self.fault(name, format!("Ensure this value is greater than or equal to {}.", range.start()));
        }
        if number > *range.end() {
            return self.fault(name, format!("Ensure this value is less than or equal to {}.", range.end()));
        }
        Some(number)
    }

    /// A list of 1 to `max` integers without duplicates.
    pub fn integers(&mut self, name: &str, max: usize) -> Option<Vec<i64>> {
        self.ask(name, true, || {
            let items = json!({ "type": "integer", "format": "int64" });
            json!({ "type": "array", "items": items, "minItems": 1, "maxItems": max, "uniqueItems": true })
        });
        let items = match self.values.remove(name) {
            None => return self.fault(name, REQUIRED),
            Some(Value::Null) => return self.fault(name, NULL),
            Some(Value::Array(items)) => items,
            Some(value) => {
                return self.fault(name, format!("Expected a list of items but got type \"{}\".", type_name(&value)));
            }
        };
        if items.is_empty() {
            return self.fault(name, "This list may not be empty.");
        }
        if items.len() > max {
            return self.fault(name, format!("Ensure this field has no more than {max} elements."));
        }
        let Some(numbers) = items.iter().map(integer).collect::<Option<Vec<_>>>() else {
            return self.fault(name, NOT_AN_INTEGER);
        };
        if numbers.iter().enumerate().any(|(index, number)| numbers.iter().skip(index + 1).any(|other| other == number))
        {
            return self.fault(name, "This list may not contain duplicates.");
        }
        Some(numbers)
    }

    /// As [`Self::integer`], as the id of a table.
    pub fn id<T: From<i64>>(&mut self, name: &str) -> Option<T> {
        self.integer(name).map(T::from)
    }

    /// As [`Self::id`], for a field that may be missing.
    pub fn id_if_sent<T: From<i64>>(&mut self, name: &str) -> Option<T> {
        self.integer_if_sent(name).map(T::from)
    }

    /// As [`Self::integers`], as ids of a table.
    pub fn ids<T: From<i64>>(&mut self, name: &str, max: usize) -> Option<Vec<T>> {
        Some(self.integers(name, max)?.into_iter().map(T::from).collect())
    }

    fn number(&mut self, name: &str) -> Option<i64> {
        match self.values.remove(name) {
            None => self.fault(name, REQUIRED),
            Some(Value::Null) => self.fault(name, NULL),
            Some(value) => match integer(&value) {
                Some(number) => Some(number),
                None => self.fault(name, NOT_AN_INTEGER),
            },
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
        }
        Value::Number(number) => number.as_i64().or_else(|| integer(&Value::String(number.to_string()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::http::fields::tests::fields;

    #[test]
    fn an_integer_is_read_from_text_and_from_whole_decimals() {
        let mut fields = fields(json!({ "a": 3, "b": "3", "c": " 3 ", "d": 3.0, "e": "3.00" }));
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(fields.integer(name), Some(3), "{name}");
        }
        assert!(fields.faults.is_empty());
    }

    #[test]
    fn an_invalid_integer_is_reported_in_the_former_service_s_words() {
        let mut fields = fields(json!({ "a": "moon", "b": 3.5, "c": true, "d": null, "e": [3], "f": 1e300 }));
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            assert_eq!(fields.integer(name), None, "{name}");
        }
        assert_eq!(
            json!(fields.faults),
            json!({
                "a": ["A valid integer is required."], "b": ["A valid integer is required."],
                "c": ["A valid integer is required."], "d": ["This field may not be null."],
                "e": ["A valid integer is required."], "f": ["A valid integer is required."],
                "g": ["This field is required."],
            })
        );
    }

    #[test]
    fn an_empty_too_long_or_duplicated_list_is_refused() {
        let mut fields = fields(json!({ "a": [1, "2"], "b": [], "c": "1,2", "d": [1, 1], "e": [1, 2, 3], "f": ["x"] }));
        fields.split_list("c");
        assert_eq!(fields.integers("a", 2), Some(vec![1, 2]));
        assert_eq!(fields.integers("c", 2), Some(vec![1, 2]));
        for name in ["b", "d", "e", "f"] {
            assert_eq!(fields.integers(name, 2), None, "{name}");
        }
        assert_eq!(
            json!(fields.faults),
            json!({
                "b": ["This list may not be empty."],
                "d": ["This list may not contain duplicates."],
                "e": ["Ensure this field has no more than 2 elements."],
                "f": ["A valid integer is required."],
            })
        );
    }
}
