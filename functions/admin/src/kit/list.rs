//! Lists: a page of rows with filters, sorting and a CSV file of exactly what is filtered.

use std::{collections::BTreeMap, fmt::Write};

use axum::{body::Body, extract::FromRequestParts, response::Response};
use chrono::{NaiveDate, Utc};
use lambda_http::http::{HeaderValue, header, request::Parts};
use maud::{Markup, html};
use shared::{Error, Result, written::Written};

use super::{cell::Cell, page::Place};

/// Rows of a page.
const PAGE: i64 = 50;
/// Rows of a CSV file.
pub const LONGEST_FILE: i64 = 25_000;
/// Bytes of a CSV file: a function may answer 6 MB.
const LARGEST_FILE: usize = 5_000_000;

/// What a page's address asks for: the text searched for, filters, order and page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    path: String,
    /// By name, without empty ones.
    values: BTreeMap<String, String>,
    is_file: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = parts.uri.path().trim_end_matches('/');
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let is_kept =
            |(name, value): &(String, String)| !value.trim().is_empty() && !value.contains('\0') && name.len() < 100;
        let values = pairs.filter(is_kept).map(|(name, value)| (name, value.trim().chars().take(300).collect()));
        Ok(Self {
            path: format!("{}/", path.trim_end_matches(".csv")),
            values: values.collect(),
            is_file: path.ends_with(".csv"),
        })
    }
}

impl Ask {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All values of the address, by name.
    pub(crate) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// The text searched for, as a pattern of `like` in which nothing but its ends is a wildcard.
    pub(crate) fn pattern(&self) -> Option<String> {
        let text = self.value("q")?.to_lowercase();
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(format!("%{escaped}%"))
    }

    /// An id to filter by; one that is no number matches nothing.
    pub(crate) fn id(&self, name: &str) -> Option<i64> {
        self.value(name).map(|text| text.parse().unwrap_or(-1))
    }

    /// A day to filter by.
    pub(crate) fn day(&self, name: &str) -> Option<NaiveDate> {
        self.value(name).and_then(|text| NaiveDate::parse(text).ok())
    }

    /// The key of the column to sort by, with `-` before it for descending order.
    pub(crate) fn sort(&self) -> Option<&str> {
        self.value("sort")
    }

    pub(crate) fn limit(&self) -> i64 {
        if self.is_file { LONGEST_FILE } else { PAGE }
    }

    pub(crate) fn offset(&self) -> i64 {
        if self.is_file { 0 } else { (self.page() - 1) * PAGE }
    }

    fn page(&self) -> i64 {
        self.value("page").and_then(|page| page.parse().ok()).filter(|page| (1..=100_000).contains(page)).unwrap_or(1)
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
        let mut values = self.values.clone();
        values.remove("page");
        values.remove("done");
        for (name, value) in changes {
            if value.is_empty() {
                values.remove(*name)
            } else {
                values.insert((*name).to_owned(), (*value).to_owned())
            };
        }
        address(&self.path, &values)
    }

    /// The CSV file of the same rows.
    fn file(&self) -> String {
        let mut values = self.values.clone();
        values.remove("page");
        values.remove("done");
        address(&format!("{}.csv", self.path.trim_end_matches('/')), &values)
    }
}

fn address(path: &str, values: &BTreeMap<String, String>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A column: its title, whether it can be sorted by, and the cell of a row.
pub(crate) struct Column<R> {
    key: &'static str,
    title: &'static str,
    sorts: bool,
    cell: fn(&R) -> Cell,
}

impl<R> Column<R> {
    /// A column that the list's query can sort by.
    pub(crate) const fn sorted(key: &'static str, title: &'static str, cell: fn(&R) -> Cell) -> Self {
        Self { key, title, sorts: true, cell }
    }

    pub(crate) const fn plain(key: &'static str, title: &'static str, cell: fn(&R) -> Cell) -> Self {
        Self { key, title, sorts: false, cell }
    }
}

/// A filter above a list.
pub(crate) enum Filter {
    /// One of these pairs of value and text; without a choice, `all` is the text.
    Choice { name: &'static str, label: &'static str, all: &'static str, choices: Vec<(String, String)> },
    /// A range of days: `{name}_from` and `{name}_to`, both included.
    Days { name: &'static str, label: &'static str },
}

/// The options of a filter, with the one in use selected.
pub(crate) fn choices_of<'a>(ask: &Ask, name: &str, choices: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    html! { @for (value, text) in choices { option value=(value) selected[ask.value(name) == Some(value)] { (text) } } }
}

/// Rows of a page, and how many match in all.
#[derive(Debug)]
pub(crate) struct Rows<R> {
    pub(crate) rows: Vec<R>,
    pub(crate) count: i64,
}

/// A list: columns and filters of rows.
pub(crate) struct List<'a, R> {
    pub(crate) place: Place,
    pub(crate) ask: &'a Ask,
    pub(crate) columns: &'a [Column<R>],
    pub(crate) filters: &'a [Filter],
    pub(crate) rows: &'a Rows<R>,
    /// What the search looks into, such as "name or type"; `None` without a search.
    pub(crate) search: Option<&'a str>,
    /// The sentence of an empty list: how to fill it.
    pub(crate) empty: &'a str,
}

impl<R> List<'_, R> {
    pub(crate) fn show(&self) -> Markup {
        html! {
            (self.filters())
            (self.chips())
            @if self.rows.rows.is_empty() {
                p.empty { @if self.is_filtered() { "Nothing matches. Clear a filter or search for less." } @else { (self.empty) } }
            } @else {
                div.bar {
                    p.count { (self.counted()) }
                    a href=(self.ask.file()) download { "Download CSV" }
                }
                div.table role="region" aria-label=(self.place.title) tabindex="0" { (self.table()) }
                (self.pages())
            }
        }
    }

    fn is_filtered(&self) -> bool {
        self.ask.value("q").is_some() || self.active().next().is_some() || self.ask.page() > 1
    }

    fn counted(&self) -> String {
        let (first, shown) = (self.ask.offset() + 1, i64::try_from(self.rows.rows.len()).unwrap_or_default());
        if self.rows.count <= PAGE {
            format!("{} in all", self.rows.count)
        } else {
            format!("{first}–{} of {}", first + shown - 1, self.rows.count)
        }
    }

    fn filters(&self) -> Markup {
        html! {
            form.filters method="get" action=(self.ask.path) data-auto {
                @if let Some(placeholder) = self.search {
                    div.field {
                        label for="filter-q" { "Search" }
                        input #filter-q type="search" name="q" value=[self.ask.value("q")] placeholder=(placeholder);
                    }
                }
                @for filter in self.filters { (self.filter(filter)) }
                @if let Some(sort) = self.ask.sort() { input type="hidden" name="sort" value=(sort); }
                button.plain type="submit" { "Apply" }
            }
        }
    }

    fn filter(&self, filter: &Filter) -> Markup {
        match filter {
            Filter::Choice { name, label, all, choices } => html! {
                div.field {
                    label for=(format!("filter-{name}")) { (label) }
                    select id=(format!("filter-{name}")) name=(name) {
                        option value="" { (all) }
                        @for (value, text) in choices {
                            option value=(value) selected[self.ask.value(name) == Some(value)] { (text) }
                        }
                    }
                }
            },
            Filter::Days { name, label } => html! {
                @for (end, word) in [("from", "from"), ("to", "to")] {
                    div.field {
                        label for=(format!("filter-{name}-{end}")) { (label) " " (word) }
                        input id=(format!("filter-{name}-{end}")) type="date" name=(format!("{name}_{end}"))
                            value=[self.ask.value(&format!("{name}_{end}"))];
                    }
                }
            },
        }
    }

    /// The filters in use: name of the value, and what it says.
    fn active(&self) -> impl Iterator<Item = (String, String)> {
        self.filters.iter().flat_map(|filter| match filter {
            Filter::Choice { name, label, choices, .. } => {
                let chosen = self.ask.value(name).map(|value| {
                    let text = choices.iter().find(|(known, _)| known == value).map_or(value, |(_, text)| text);
                    ((*name).to_owned(), format!("{label}: {text}"))
                });
                chosen.into_iter().collect::<Vec<_>>()
            }
            Filter::Days { name, label } => {
                let end = |end: &str| {
                    let name = format!("{name}_{end}");
                    self.ask.value(&name).map(|day| (name.clone(), format!("{label} {end} {day}")))
                };
                [end("from"), end("to")].into_iter().flatten().collect()
            }
        })
    }

    fn chips(&self) -> Markup {
        let search = self.ask.value("q").map(|text| ("q".to_owned(), format!("Search: {text}")));
        let chips: Vec<(String, String)> = search.into_iter().chain(self.active()).collect();
        html! {
            @if !chips.is_empty() {
                ul.chips aria-label="Filters in use" {
                    @for (name, text) in &chips {
                        li { a href=(self.ask.link(&[(name, "")])) { (text) span aria-hidden="true" { " ×" } span.visually-hidden { ", remove" } } }
                    }
                    li { a.clear href=(self.ask.path) { "Clear all" } }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            table {
                thead { tr { @for column in self.columns { (self.heading(column)) } } }
                tbody {
                    @for row in &self.rows.rows {
                        tr {
                            @for column in self.columns {
                                @let cell = (column.cell)(row);
                                td class=[cell.is_number().then_some("num")] data-label=(column.title) { (cell.markup()) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn heading(&self, column: &Column<R>) -> Markup {
        let down = format!("-{}", column.key);
        let (sort, next) = match self.ask.sort() {
            Some(key) if key == column.key => (Some("ascending"), down.as_str()),
            Some(key) if key == down => (Some("descending"), ""),
            _ => (None, column.key),
        };
        // Above its numbers; empty cells do not tell.
        let is_number = self.rows.rows.iter().any(|row| (column.cell)(row).is_number());
        html! {
            th class=[is_number.then_some("num")] scope="col" aria-sort=[sort] {
                @if column.sorts { a href=(self.ask.link(&[("sort", next)])) { (column.title) } } @else { (column.title) }
            }
        }
    }

    fn pages(&self) -> Markup {
        let (page, last) = (self.ask.page(), (self.rows.count + PAGE - 1) / PAGE);
        let to = |page: i64| self.ask.link(&[("page", &page.to_string())]);
        html! {
            @if last > 1 {
                nav.pages aria-label="Pages" {
                    @if page > 1 { a rel="prev" href=(to(page - 1)) { "‹ Previous" } }
                    span { "Page " (page) " of " (last) }
                    @if page < last { a rel="next" href=(to(page + 1)) { "Next ›" } }
                }
            }
        }
    }
}

/// The rows as a CSV file: UTF-8 with a byte order mark, for spreadsheets. Its last line says when rows are missing.
pub(crate) fn file<R>(place: Place, columns: &[Column<R>], rows: &Rows<R>) -> Result<Response> {
    let mut text = String::from("\u{feff}");
    line(&mut text, columns.iter().map(|column| column.title.to_owned()))?;
    let mut written = 0_i64;
    for row in &rows.rows {
        let before = text.len();
        line(&mut text, columns.iter().map(|column| (column.cell)(row).csv()))?;
        if text.len() > LARGEST_FILE {
            text.truncate(before);
            break;
        }
        written += 1;
    }
    if written < rows.count {
        let _ = write!(text, "\"Cut: {written} of {} rows. Filter for fewer.\"\r\n", rows.count);
    }
    let name = place.path.trim_end_matches('/').rsplit('/').next().unwrap_or("list");
    let named = format!("attachment; filename=\"{name}-{}.csv\"", Utc::now().format("%Y-%m-%d"));
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    // Not text/csv: the Lambda adapter decodes what it takes for text, and drops the byte order mark.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&named).map_err(Error::internal)?);
    Ok(response)
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.collect::<Vec<_>>()).map_err(Error::internal)?;
    let bytes = writer.into_inner().map_err(|error| Error::internal(error.to_string()))?;
    text.push_str(&String::from_utf8(bytes).map_err(Error::internal)?);
    Ok(())
}
