//! The links that manage a booking, as its page shows them.

use maud::{Markup, html};
use shared::{bookings::links::Scope, ids::BookingId};

use super::{around::Link, path};
use crate::words::Words;

const fn scope_of(words: Words, scope: Scope) -> &'static str {
    match scope {
        Scope::View => words.may_see(),
        Scope::Pay => words.may_pay(),
        Scope::Change => words.may_change(),
    }
}

/// The section of a booking's page.
pub(super) fn section(words: Words, id: BookingId, links: &[Link], made: Option<&str>) -> Markup {
    let action = format!("{}links/", path(id));
    let revoke = format!("{action}revoke/");
    html! {
        section aria-labelledby="links" {
            h2 #links { (words.links()) }
            @if let Some(address) = made {
                div.notice role="status" { p { strong { (words.link_is_shown_once()) } } }
                p.secret { code { (address) } }
            }
            @if links.is_empty() { p { (words.no_links()) } }
            @else {
                table.lines {
                    tbody {
                        @for link in links {
                            tr {
                                th scope="row" { (scope_of(words, link.scope)) " · " (purpose(words, &link.purpose)) " · " (words.moment(link.at)) }
                                td {
                                    form method="post" action=(revoke) {
                                        button.plain type="submit" name="link" value=(link.id) aria-label=(format!("{}: {}, {}", words.revoke(), scope_of(words, link.scope), words.moment(link.at))) { (words.revoke()) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            div.actions {
                form.row method="post" action=(action) {
                    div.field {
                        label for="scope" { (words.link_for()) }
                        select #scope name="scope" {
                            @for (value, scope) in [("change", Scope::Change), ("pay", Scope::Pay), ("view", Scope::View)] {
                                option value=(value) { (scope_of(words, scope)) }
                            }
                        }
                    }
                    button.plain type="submit" { (words.make_link()) }
                }
                @if links.len() > 1 {
                    form method="post" action=(revoke) {
                        button.plain type="submit" name="link" value="all" { (words.revoke_all()) }
                    }
                }
            }
        }
    }
}

/// What a link was made for: the kind of message that carries it, or to be handed over.
fn purpose(words: Words, purpose: &str) -> String {
    if purpose == "staff" { words.made_by_hand().to_owned() } else { purpose.replace('_', " ") }
}
