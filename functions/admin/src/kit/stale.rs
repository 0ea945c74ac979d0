//! Notices that another user has saved a form's values since the form was opened.

use maud::{Markup, html};

use super::form::Form;

/// The field that carries the version that a form was opened with.
const VERSION: &str = "version";

/// What is saved now: the values of a form's inputs, and a version that is another one after each change.
#[derive(Debug)]
pub(crate) struct Present {
    version: String,
    values: Vec<(&'static str, String)>,
}

impl Present {
    /// `version` is the time of the last change in microseconds.
    pub(crate) fn new(version: i64, values: Vec<(&'static str, String)>) -> Self {
        Self { version: version.to_string(), values }
    }

    /// Values without a time of their last change: they are their own version.
    pub(crate) fn untimed(values: Vec<(&'static str, String)>) -> Self {
        let version = values.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
        Self { version, values }
    }

    /// A form that begins with these values.
    pub(crate) fn form(&self) -> Form {
        let mut form = Form::of(self.values.clone());
        form.set(VERSION, self.version.clone());
        form
    }

    /// Whether other values were saved since the form was opened. A form that was sent twice finds its own.
    pub(crate) fn is_newer_than(&self, form: &Form) -> bool {
        self.version != form.value(VERSION) && !self.values.iter().all(|(name, value)| form.value(name).trim() == value)
    }

    /// Shows these values beside those of a form, which overwrites them if it is sent again.
    pub(crate) fn show_beside(self, form: &mut Form) {
        form.compare(self.values);
        form.set(VERSION, self.version);
    }
}

/// The hidden input of the version.
pub(crate) fn version(form: &Form) -> Markup {
    html! { input type="hidden" name=(VERSION) value=(form.value(VERSION)); }
}

/// Says above a form that another user has saved other values; the page at `path` begins with those.
pub(crate) fn stale(form: &Form, what: &str, path: &str) -> Markup {
    html! {
        @if form.has_theirs() {
            div.problem role="alert" {
                p { "Another user has changed " (what) " since you opened this page. Your values are in the form, and theirs beside yours. Save again to keep yours, or " a href=(path) { "take theirs" } "." }
            }
        }
    }
}
