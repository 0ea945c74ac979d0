//! The part of a page that shows a plan: counts, old and new prices, and the button that makes the changes.

use maud::{Markup, html};

use super::{
    amount::spoken,
    counted,
    plan::{Change, Outcome, Plan},
};
use crate::{catalogue::NOTHING_CHANGED, kit::form::once};

/// Changes that are listed.
pub(super) const LISTED: usize = 200;

/// Why a confirmed plan was not carried out.
pub(super) fn refusal(written: &Outcome) -> Option<&'static str> {
    match written {
        Outcome::Saved(_) => None,
        Outcome::Stale => Some(
            "Nothing was saved: prices have changed since this list was made. It is new now: read it and confirm again.",
        ),
        Outcome::Refused => Some(NOTHING_CHANGED),
    }
}

/// The list of a plan's changes.
pub(super) fn list(plan: &Plan) -> Markup {
    let has_lines = plan.changes.iter().any(|change| change.line.is_some());
    html! {
        @if !plan.changes.is_empty() {
            div.table role="region" aria-label="Changes" tabindex="0" {
                table {
                    thead {
                        tr {
                            @if has_lines { th scope="col" { "Line" } }
                            th scope="col" { "Service" }
                            th scope="col" { "Model" }
                            th scope="col" { "Price now" }
                            th scope="col" { "New price" }
                        }
                    }
                    tbody { @for change in plan.changes.iter().take(LISTED) { (row(change, has_lines)) } }
                }
            }
            (more(plan.changes.len()))
        }
    }
}

fn row(change: &Change, has_lines: bool) -> Markup {
    html! {
        tr {
            @if has_lines { td.num data-label="Line" { @if let Some(line) = change.line { (line) } } }
            td data-label="Service" { (change.service) }
            td data-label="Model" { (change.model) }
            td.num data-label="Price now" { (spoken(change.old)) }
            td.num data-label="New price" { (spoken(change.new)) }
        }
    }
}

/// Says how many of a list are not shown.
pub(super) fn more(count: usize) -> Markup {
    html! { @if count > LISTED { p.hint { "and " (count - LISTED) " more" } } }
}

/// The form that makes the changes as they are listed, once.
pub(super) fn confirm(plan: &Plan, action: &str, fields: &[(&str, &str)], back: &str) -> Markup {
    html! {
        form.actions method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            input type="hidden" name="fingerprint" value=(plan.fingerprint());
            (once())
            button type="submit" { "Save " (counted(plan.changes.len())) }
            a href=(back) { "Cancel" }
        }
    }
}
