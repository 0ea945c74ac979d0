//! Cells of lists: one value, shown on a page and written to a CSV file.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::money::Money;

use crate::words::{Words, day_text};

/// The value of one column in one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Text(String),
    /// The row's own page, or a related one.
    Link {
        to: String,
        text: String,
    },
    Number(i64),
    Money(Money),
    /// On the shop's clock.
    Moment(NaiveDateTime),
    /// A state in a word, with a colour that says no more than the word.
    Tag(Tone, &'static str),
    /// A status: its colour, its icon, which is left out of files, and its word.
    Status(Tone, &'static str, &'static str),
    /// An https URL.
    Picture(String),
    /// A button that sends one field.
    Act {
        to: String,
        field: (&'static str, String),
        button: &'static str,
        label: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    /// Going on.
    Active,
    Quiet,
    Warning,
    Bad,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Active => "active",
            Self::Quiet => "quiet",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

impl Cell {
    pub(crate) fn link(to: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Link { to: to.into(), text: text.into() }
    }

    pub(crate) fn optional(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    /// Whether it is aligned to the right of its column.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Money(_))
    }

    pub(crate) fn markup(&self) -> Markup {
        self.markup_in(Words::default())
    }

    /// With days named in a language.
    pub(crate) fn markup_in(&self, words: Words) -> Markup {
        html! {
            @match self {
                Self::Empty => {}
                Self::Text(text) => { (text) }
                Self::Link { to, text } => { a href=(to) { (text) } }
                Self::Number(number) => { (number) }
                Self::Money(money) => { (rupees(*money)) }
                Self::Moment(moment) => { time datetime=(moment.format("%Y-%m-%dT%H:%M")) { (words.moment(*moment)) } }
                Self::Tag(tone, word) => { span class=(format!("tag {}", tone.class())) { (word) } }
                Self::Status(tone, icon, word) => {
                    span class=(format!("tag status {}", tone.class())) { span.icon aria-hidden="true" { (icon) } " " (word) }
                }
                Self::Picture(url) => { img.thumb src=(url) alt="" loading="lazy" width="32" height="32"; }
                Self::Act { to, field: (name, value), button, label } => {
                    form method="post" action=(to) {
                        input type="hidden" name=(name) value=(value);
                        button.plain type="submit" aria-label=(label) { (button) }
                    }
                }
            }
        }
    }

    /// The value in a CSV file.
    pub(crate) fn csv(&self) -> String {
        match self {
            Self::Empty | Self::Act { .. } => String::new(),
            Self::Text(text) | Self::Link { text, .. } | Self::Picture(text) => harmless(text),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => money.to_string(),
            Self::Moment(moment) => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
            Self::Tag(_, word) | Self::Status(_, _, word) => (*word).to_owned(),
        }
    }
}

/// A spreadsheet takes a cell that begins with one of these for a formula.
pub(crate) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// `₹1,23,456.00`.
pub(crate) fn rupees(money: Money) -> String {
    money.grouped()
}

/// `Mon 30 Nov, 14:05`.
pub(crate) fn moment_text(moment: NaiveDateTime) -> String {
    format!("{}, {}", day_text(moment.date()), moment.format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_a_text_is_a_text_in_the_file() {
        for text in ["=1+1", "+91", "-2", "@sum", "\t="] {
            assert_eq!(Cell::Text(text.to_owned()).csv(), format!("'{text}"));
            assert_eq!(Cell::link("/x", text).csv(), format!("'{text}"));
        }
        assert_eq!(Cell::Text("A=1".to_owned()).csv(), "A=1");
        assert_eq!(Cell::Number(-2).csv(), "-2");
    }
}
