//! Fields of a query: repeated names, lists, and signs that the encoding of forms loses.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Fields;
use crate::{phone::with_plus, written::Written};

/// A name and its value.
#[derive(Debug)]
pub(super) struct Pair {
    /// Without the brackets of `name[]` and `name[0]`.
    pub(super) name: String,
    pub(super) value: String,
    /// The value before it was decoded.
    raw: String,
}

/// The pairs of a query string.
pub(super) fn pairs(query: &str) -> Vec<Pair> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            Pair { name: without_brackets(decoded(name)), value: decoded(raw), raw: raw.to_owned() }
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let decoded: Cow<'_, str> = percent_decode_str(&text).decode_utf8_lossy();
    decoded.into_owned()
}

fn without_brackets(name: String) -> String {
    let brackets = name.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    match brackets {
        Some((name, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => name,
    }
}

impl Fields {
    /// Makes a list of a parameter that may be repeated, be `name[]`, or be one text such as `1,2`.
    pub fn split_list(&mut self, name: &str) {
        let Some(Value::String(last)) = self.values.get(name) else { return };
        let sent: Vec<&str> =
            self.pairs.iter().filter(|pair| pair.name == name).map(|pair| pair.value.as_str()).collect();
        let texts = if sent.is_empty() { vec![last.as_str()] } else { sent };
        let items = texts.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|item| !item.is_empty());
        let items = items.map(|item| Value::String(item.to_owned())).collect();
        self.values.insert(name.to_owned(), Value::Array(items));
    }

    /// Gives a value of a query the `+` back that was decoded as a space, if its type may begin with one.
    pub(super) fn restore_plus<T: Written>(&mut self, name: &str) {
        if !T::MAY_BEGIN_WITH_PLUS {
            return;
        }
        let pair = self.pairs.iter().rfind(|pair| pair.name == name);
        if let Some(text) = pair.and_then(|pair| with_plus(&pair.raw, &pair.value)) {
            self.values.insert(name.to_owned(), Value::String(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{http::Fields, phone::Phone};

    #[test]
    fn a_list_is_sent_in_any_common_form() {
        for query in [
            "ids=1,2",
            "ids=1&ids=2",
            "ids[]=1&ids[]=2",
            "ids%5B%5D=1&ids%5B%5D=2",
            "ids[0]=1&ids[1]=2",
            "ids=1&ids[]=2",
            "ids=+1+,+2,",
        ] {
            let mut fields = Fields::from_query(query);
            fields.split_list("ids");
            assert_eq!(fields.integers("ids", 2), Some(vec![1, 2]), "{query}");
        }
    }

    #[test]
    fn of_a_repeated_value_the_last_counts() {
        let mut fields = Fields::from_query("a=1&a=2&&b");
        assert_eq!(fields.integer("a"), Some(2));
        assert_eq!(fields.text_or_empty("b", 9).as_deref(), Some(""));
    }

    #[test]
    fn a_plus_before_a_number_is_a_plus() {
        for query in ["phone=+6598765432", "phone=%2B6598765432", "phone=+%2B65+9876-5432", "phone=+65+9876+5432"] {
            let phone: Option<Phone> = Fields::from_query(query).value("phone");
            assert_eq!(phone.unwrap().as_str(), "+6598765432", "{query}");
        }
        let phone: Option<Phone> = Fields::from_query("phone=%209876543210").value("phone");
        assert_eq!(phone.unwrap().as_str(), "+919876543210");
    }
}
