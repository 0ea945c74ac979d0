//! What the pages of a catalogue table say: what was done, and why something was not.

use maud::{Markup, html};
use shared::{Error, Faults, Result};

use super::record::Record;

/// What was just done, by the word in the address of the page that a form leads to.
pub(super) fn notice(done: Option<&str>) -> Option<&'static str> {
    Some(match done? {
        "added" => "Added. It is on offer now.",
        "saved" => "Saved. Customers see it now.",
        "archived" => "Archived. It is no longer on offer.",
        "restored" => "Restored. It is on offer again.",
        _ => return None,
    })
}

/// The faults of a row that could not be written; other errors are passed on.
pub(super) fn fault(error: Error) -> Result<Faults> {
    match error {
        Error::Validation(faults) | Error::FaultyField(faults) => Ok(faults),
        Error::Redis(_) => Ok(Faults::from(("form", NOTHING_CHANGED))),
        error => Err(error),
    }
}

pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed: the store of cached prices does not answer, and customers \
    could be shown old prices. Please try again shortly.";

/// Says which row has the name.
pub(super) fn taken<T: Record>(holder: Option<i64>) -> Markup {
    html! {
        @if let Some(id) = holder {
            div.problem role="alert" {
                p { "Another " (T::ONE) " on offer has this name: " a href=(format!("{}{id}/", T::PLACE.path)) { "open it" } "." }
            }
        }
    }
}

/// The list above a page of a record.
pub(super) fn above<T: Record>() -> [(String, String); 1] {
    [(T::PLACE.path.to_owned(), T::PLACE.title.to_owned())]
}
