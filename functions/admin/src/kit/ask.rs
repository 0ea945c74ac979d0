//! What the address of a list asks for, so that a link shows the same list to a colleague.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use chrono::{Datelike, NaiveDate};
use lambda_http::http::request::Parts;
use shared::{
    Error, Result,
    phone::{Phone, decorates},
    text::cleansed,
    written::Written,
};

/// Rows of a page.
pub(super) const PAGE: i64 = 50;
/// Rows that match are counted up to this number, so that a count costs the same however many bookings there are.
pub(crate) const HIGHEST_COUNT: i64 = 10_000;
/// Rows of a CSV file.
pub const LONGEST_FILE: i64 = 25_000;

/// Values of an address that belong to one page of a list.
const PASSING: [&str; 4] = ["page", "after", "before", "done"];

/// On which side of a row the rows of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
}

impl Side {
    /// The name in an address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Before => "before",
        }
    }
}

/// What a page's address asks for: the text searched for, filters, order and page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(super) path: String,
    /// By name, without empty ones.
    values: BTreeMap<String, String>,
    is_file: bool,
    /// Rows that are wanted, where that is no page of the list.
    most: Option<i64>,
    /// Whether the list offers its CSV file.
    offers_file: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = parts.uri.path().trim_end_matches('/');
        Ok(Self {
            path: format!("{}/", path.trim_end_matches(".csv")),
            values: kept(parts.uri.query().unwrap_or_default()),
            is_file: path.strip_suffix(".csv").is_some(),
            most: None,
            offers_file: true,
        })
    }
}

/// The values of a query by name, without empty ones.
fn kept(query: &str) -> BTreeMap<String, String> {
    let is_kept =
        |(name, value): &(String, String)| !value.trim().is_empty() && !value.contains('\0') && name.len() < 100;
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().filter(is_kept);
    // As what is stored, so that the other spelling of a letter is found too.
    pairs.map(|(name, value)| (name, cleansed(&value).chars().take(300).collect())).collect()
}

impl Ask {
    /// The same for a person who may not have the CSV file, if `is_allowed` is false.
    pub(crate) fn offering_file(self, is_allowed: bool) -> Self {
        Self { offers_file: is_allowed, ..self }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All values of the address, by name.
    pub(crate) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// The text searched for, as a pattern of `like` in which nothing but its ends is a wildcard.
    pub(crate) fn pattern(&self) -> Option<String> {
        self.value("q").map(Self::pattern_of)
    }

    /// A pattern of `like` that matches a text anywhere, in lower case.
    pub(crate) fn pattern_of(text: &str) -> String {
        let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    }

    /// A pattern of `like` for the phone number, or the part of one from three digits, that is searched for; `None` if the
    /// text is not that.
    pub(crate) fn phone_pattern(&self) -> Option<String> {
        let text = self.value("q")?;
        // A whole number may have been given without its country code, or with a zero before it.
        let whole = text.parse::<Phone>().map(|phone| phone.to_string()).unwrap_or_default();
        let spelling = if whole.is_empty() { text } else { whole.as_str() };
        let is_spelling = |character: char| character.is_ascii_digit() || character == '+' || decorates(character);
        let digits: String = spelling.chars().filter(char::is_ascii_digit).collect();
        (spelling.chars().all(is_spelling) && digits.len() >= 3).then(|| format!("%{digits}%"))
    }

    /// An id to filter by; one that is no number matches nothing.
    pub(crate) fn id(&self, name: &str) -> Option<i64> {
        self.value(name).map(|text| text.parse().unwrap_or(-1))
    }

    /// A text to filter by: the id of `#7`, as links have it, or the pattern of any other text.
    pub(crate) fn id_or_pattern(&self, name: &str) -> (Option<i64>, Option<String>) {
        match self.value(name).map(|text| (text.strip_prefix('#').and_then(|id| id.parse().ok()), text)) {
            Some((Some(id), _)) => (Some(id), None),
            Some((None, text)) => (None, Some(Self::pattern_of(text))),
            None => (None, None),
        }
    }

    /// A day to filter by. Those around it have years of four digits too, as dates of JSON have.
    pub(crate) fn day(&self, name: &str) -> Option<NaiveDate> {
        self.value(name).and_then(|text| NaiveDate::parse(text).ok()).filter(|day| day.year() < 9999)
    }

    /// The key of the column to sort by, with `-` before it for descending order.
    pub(crate) fn sort(&self) -> Option<&str> {
        self.value("sort")
    }

    pub(crate) fn limit(&self) -> i64 {
        self.most.unwrap_or(if self.is_file { LONGEST_FILE } else { PAGE })
    }

    /// How many rows that match are counted. A file counts all, because it says how many of them it leaves out.
    pub(crate) fn most_counted(&self) -> i64 {
        if self.is_file { i64::MAX } else { HIGHEST_COUNT + 1 }
    }

    /// The key of the row that the page is beside, and on which side of it; in the list's own order only.
    pub(crate) fn key<K>(&self, parse: impl Fn(&str) -> Option<K>) -> Option<(K, Side)> {
        if self.is_file || self.sort().is_some() {
            return None;
        }
        let on = |side: Side| self.value(side.name()).and_then(&parse).map(|key| (key, side));
        on(Side::After).or_else(|| on(Side::Before))
    }

    pub(crate) fn offset(&self) -> i64 {
        if self.is_file { 0 } else { (self.page() - 1) * PAGE }
    }

    pub(super) fn page(&self) -> i64 {
        self.value("page").and_then(|page| page.parse().ok()).filter(|page| (1..=100_000).contains(page)).unwrap_or(1)
    }

    /// Whether the list is asked for as a whole; order and page are no filters.
    pub(crate) fn is_unfiltered(&self) -> bool {
        self.values.keys().all(|name| name == "sort" || PASSING.contains(&name.as_str()))
    }

    /// A filter that is `yes` or `no`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        }
    }

    /// The same list with other values; an empty one leaves its name out. Other than a new page, a change leads to the
    /// first one.
    pub(crate) fn link(&self, changes: &[(&str, &str)]) -> String {
        let mut values = self.lasting();
        for (name, value) in changes {
            if value.is_empty() {
                values.remove(*name)
            } else {
                values.insert((*name).to_owned(), (*value).to_owned())
            };
        }
        address(&self.path, &values)
    }

    /// The filters as a query, without a page.
    pub(super) fn query(&self) -> String {
        let values = self.lasting();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&values).finish()
    }

    /// So many first rows of a list that is asked for by a query that [`Self::query`] has made.
    pub(crate) fn of_query(path: &str, query: &str, most: usize) -> Self {
        let most = i64::try_from(most).ok();
        Self { path: path.to_owned(), values: kept(query), is_file: false, most, offers_file: false }
    }

    /// The values that stay from page to page.
    fn lasting(&self) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        values.retain(|name, _| !PASSING.contains(&name.as_str()));
        values
    }

    /// The CSV file of the same rows, if it may be had.
    pub(super) fn file(&self) -> Option<String> {
        if !self.offers_file {
            return None;
        }
        let values = self.lasting();
        Some(address(&format!("{}.csv", self.path.trim_end_matches('/')), &values))
    }
}

fn address(path: &str, values: &BTreeMap<String, String>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
