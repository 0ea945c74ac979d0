//! Forms: what was sent, its faults, and the inputs that show both.

use std::{collections::BTreeMap, ops::RangeInclusive};

use axum::extract::{FromRequest, Request};
use lambda_http::http::{StatusCode, header};
use maud::{Markup, html};
use serde_json::Value;
use shared::{
    Error, Faults, Result,
    http::{Fields, Read},
    idempotency::Key,
};

use crate::{
    BODY_LIMIT,
    words::{Words, kept_language},
};

/// The fields of a submitted form, or the values that a form begins with, and the faults found in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// By name; of a repeated name the last.
    values: BTreeMap<String, String>,
    /// All pairs, in the order in which they were sent.
    pairs: Vec<(String, String)>,
    faults: Faults,
    /// Values that another user saved meanwhile, by name.
    theirs: BTreeMap<String, String>,
    /// The language of the inputs' own words.
    words: Words,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.unwrap_or_default().starts_with("application/x-www-form-urlencoded") {
            return Err(Error::UnsupportedMediaType);
        }
        let words = Words(kept_language(request.headers()));
        let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| Error::PayloadTooLarge)?;
        Ok(Self::parse(&body).said_in(words))
    }
}

impl Form {
    fn parse(body: &[u8]) -> Self {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        Self { values: pairs.iter().cloned().collect(), pairs, ..Self::default() }
    }

    /// The same with its own words in a language.
    pub(crate) fn said_in(self, words: Words) -> Self {
        Self { words, ..self }
    }

    /// A form that begins with these values.
    pub(crate) fn of<N: Into<String>>(values: impl IntoIterator<Item = (N, String)>) -> Self {
        Self { values: values.into_iter().map(|(name, value)| (name.into(), value)).collect(), ..Self::default() }
    }

    /// Reads a value; its faults are shown beside the inputs.
    pub(crate) fn read<T: Read>(&mut self) -> Option<T> {
        let values = self.values.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        let mut fields = Fields::new(values);
        let read = T::read(&mut fields);
        let is_whole = fields.faults.is_empty();
        self.faults.merge(fields.faults);
        read.filter(|_| is_whole)
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.get(name).map(String::as_str).unwrap_or_default()
    }

    /// All pairs in the order in which they were sent.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The names of all values that are not empty.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Adds faults that were found after reading.
    pub(crate) fn blame(&mut self, faults: Faults) {
        self.faults.merge(faults);
    }

    /// Adds the faults of an act that was refused; any other error is returned.
    pub(crate) fn take(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Validation(faults) | Error::FaultyField(faults) | Error::Conflict(faults) => {
                self.blame(faults);
                Ok(())
            }
            error => Err(error),
        }
    }

    pub(crate) fn has_faults(&self) -> bool {
        !self.faults.is_empty() || !self.theirs.is_empty()
    }

    /// The first fault of a field.
    pub(crate) fn fault(&self, name: &str) -> Option<&str> {
        self.faults.of(name).first().map(String::as_str)
    }

    /// Shows values that another user has saved since the form was opened, where they differ.
    pub(crate) fn compare(&mut self, theirs: impl IntoIterator<Item = (&'static str, String)>) {
        let differ = theirs.into_iter().filter(|(name, value)| self.value(name) != value);
        self.theirs = differ.map(|(name, value)| (name.to_owned(), value)).collect();
    }

    /// Whether another user has saved other values.
    pub(crate) fn has_theirs(&self) -> bool {
        !self.theirs.is_empty()
    }

    /// The value of a field that another user has saved.
    pub(crate) fn theirs(&self, name: &str) -> Option<&str> {
        self.theirs.get(name).map(String::as_str)
    }

    /// The status of a form that was not done: 503 if the reason is no field's.
    pub(crate) fn refused(&self) -> StatusCode {
        if self.fault("form").is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST }
    }

    /// The key that makes a form work once, however often it is sent; see [`once`]. A form that was gone back to and
    /// filled in anew has another key.
    pub(crate) fn key(&self) -> Result<Key> {
        if self.value("form_key").len() < 32 {
            return Err(Error::field("form_key", "Please open this page again and fill it in there."));
        }
        Ok(Key::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()))
    }
}

/// A required whole number in a range.
pub(crate) fn whole(fields: &mut Fields, name: &str, range: RangeInclusive<i32>) -> Option<i32> {
    let number = fields.integer_within(name, i64::from(*range.start())..=i64::from(*range.end()));
    if number.is_none() && fields.faults.of(name).is_empty() {
        fields.faults.add(name, "This field is required.");
    }
    i32::try_from(number?).ok()
}

/// A hidden key: a form that is sent twice does its work once.
pub(crate) fn once() -> Markup {
    let mut bytes = [0; 16];
    // Without randomness the form has no key and is refused.
    let key = getrandom::fill(&mut bytes).map(|()| hex::encode(bytes)).unwrap_or_default();
    html! { input type="hidden" name="form_key" value=(key); }
}

/// A sentence above a form that says why it was not done.
pub(crate) fn problem(sentence: Option<&str>) -> Markup {
    html! { @if let Some(sentence) = sentence { div.problem role="alert" { p { (sentence) } } } }
}

/// One input of a form with its label, hint and fault.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'static str,
    hint: &'a str,
    complete: &'static str,
    is_required: bool,
    is_numeric: bool,
    is_live: bool,
    max: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            hint: "",
            complete: "off",
            is_required: false,
            is_numeric: false,
            is_live: false,
            max: 0,
        }
    }

    /// The input's `type`; `textarea` for a text of several lines.
    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// The input's `autocomplete`.
    pub(crate) fn complete(self, complete: &'static str) -> Self {
        Self { complete, ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Shows a keyboard of digits on phones.
    pub(crate) fn numeric(self) -> Self {
        Self { is_numeric: true, ..self }
    }

    /// A change of it shows the parts of the page anew that depend on it.
    pub(crate) fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    pub(crate) fn max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    pub(crate) fn in_form(self, form: &Form) -> Markup {
        let value = if self.kind == "password" { "" } else { form.value(self.name) };
        let max = (self.max > 0).then_some(self.max);
        let described = self.described(form);
        let is_faulty = form.fault(self.name).is_some().then_some("true");
        let control = html! {
            @if self.kind == "textarea" {
                textarea id=(self.id()) name=(self.name) rows="4" maxlength=[max] required[self.is_required]
                    aria-invalid=[is_faulty] aria-describedby=[described] { (value) }
            } @else {
                input id=(self.id()) name=(self.name) type=(self.kind) value=(value) autocomplete=(self.complete) data-live-input[self.is_live]
                    inputmode=[self.is_numeric.then_some("numeric")] maxlength=[max] required[self.is_required]
                    aria-invalid=[is_faulty] aria-describedby=[described];
            }
        };
        self.labelled(form, &control, &|theirs| theirs)
    }

    /// A choice among pairs of value and text.
    pub(crate) fn select_in<'f>(self, form: &'f Form, choices: &'f [(String, String)]) -> Markup {
        let chosen = form.value(self.name);
        let control = html! {
            select id=(self.id()) name=(self.name) required[self.is_required]
                aria-invalid=[form.fault(self.name).is_some().then_some("true")] aria-describedby=[self.described(form)] {
                @if !choices.iter().any(|(value, _)| value == chosen) { option value="" selected { "Choose…" } }
                @for (value, text) in choices { option value=(value) selected[value == chosen] { (text) } }
            }
        };
        let text = |theirs: &'f str| choices.iter().find(|(value, _)| value == theirs).map_or(theirs, |(_, text)| text);
        self.labelled(form, &control, &text)
    }

    fn id(&self) -> String {
        format!("field-{}", self.name)
    }

    fn described(&self, form: &Form) -> Option<String> {
        let has_more = !self.hint.is_empty() || form.fault(self.name).is_some() || form.theirs.contains_key(self.name);
        has_more.then(|| format!("about-{}", self.name))
    }

    /// A control with its label; `text` says what a value that another user saved is called.
    fn labelled<'t>(&self, form: &'t Form, control: &Markup, text: &dyn Fn(&'t str) -> &'t str) -> Markup {
        html! {
            div.field {
                label for=(self.id()) { (self.label) @if !self.is_required && self.kind != "password" { span.optional { " (" (form.words.optional()) ")" } } }
                (control)
                @if let Some(id) = self.described(form) {
                    div id=(id) {
                        @if let Some(fault) = form.fault(self.name) { p.fault { (fault) } }
                        @if let Some(theirs) = form.theirs.get(self.name) {
                            p.theirs { "Now saved: " strong { @if theirs.is_empty() { "nothing" } @else { (text(theirs)) } } }
                        }
                        @if !self.hint.is_empty() { p.hint { (self.hint) } }
                    }
                }
            }
        }
    }
}
