//! The frame of every page: sections, search, who is signed in.

use axum::response::Response;
use lambda_http::http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use shared::http::{page, see_other};

use crate::{assets, session::Person, words::Language};

/// A section of the panel: its list and the pages below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// With a final slash.
    pub(crate) path: &'static str,
    pub(crate) title: &'static str,
}

/// The sections that everybody at the shop sees, then those of administrators, in groups.
const SECTIONS: &[(&str, bool, &[Place])] = &[
    (
        "Day",
        false,
        &[
            Place { path: "/admin/", title: "Today" },
            Place { path: "/admin/bookings/", title: "Bookings" },
            Place { path: "/admin/bookings/new/", title: "New booking" },
            Place { path: "/admin/customers/", title: "Customers" },
            Place { path: "/admin/payments/", title: "Payments" },
            Place { path: "/admin/cash/", title: "Cash" },
            Place { path: "/admin/messages/", title: "Messages" },
            Place { path: "/admin/reports/", title: "Reports" },
        ],
    ),
    (
        "Shop",
        false,
        &[
            Place { path: "/admin/shop/", title: "Shop" },
            Place { path: "/admin/shop/hours/", title: "Opening hours" },
            Place { path: "/admin/shop/holidays/", title: "Holidays" },
            Place { path: "/admin/shop/messages/", title: "Words of messages" },
        ],
    ),
    (
        "Catalogue",
        false,
        &[
            Place { path: "/admin/prices/", title: "Prices" },
            Place { path: "/admin/services/", title: "Services" },
            Place { path: "/admin/service-categories/", title: "Categories" },
            Place { path: "/admin/vehicle-models/", title: "Models" },
            Place { path: "/admin/vehicle-brands/", title: "Brands" },
            Place { path: "/admin/vehicle-types/", title: "Vehicle types" },
        ],
    ),
    (
        "Administration",
        true,
        &[
            Place { path: "/admin/users/", title: "Users" },
            Place { path: "/admin/staff-keys/", title: "Staff keys" },
            Place { path: "/admin/sessions/", title: "Sessions" },
            Place { path: "/admin/activity/", title: "Activity" },
            Place { path: "/admin/system/", title: "System" },
        ],
    ),
];

/// The sections that a person sees.
pub(crate) fn sections_of(person: &Person) -> impl Iterator<Item = Place> {
    let is_admin = person.is_admin;
    SECTIONS
        .iter()
        .filter(move |(_, is_for_admins, _)| is_admin || !is_for_admins)
        .flat_map(|(.., places)| *places)
        .copied()
}

/// A page within the panel.
pub(crate) struct Page<'a> {
    pub(crate) person: &'a Person,
    pub(crate) title: &'a str,
    /// The section that it belongs to.
    pub(crate) place: &'a str,
    /// Pages above this one: path and title.
    pub(crate) above: &'a [(String, String)],
    /// What was just done, in a sentence.
    pub(crate) notice: Option<&'a str>,
    pub(crate) status: StatusCode,
}

impl<'a> Page<'a> {
    pub(crate) fn new(person: &'a Person, place: &'a str, title: &'a str) -> Self {
        Self { person, title, place, above: &[], notice: None, status: StatusCode::OK }
    }

    pub(crate) fn below(self, above: &'a [(String, String)]) -> Self {
        Self { above, ..self }
    }

    pub(crate) fn notice(self, notice: Option<&'a str>) -> Self {
        Self { notice, ..self }
    }

    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn show(&self, content: &Markup) -> Response {
        let body = html! {
            a.skip href="#main" { "Skip to the content" }
            header.top {
                button.burger type="button" popovertarget="sections" { "Menu" }
                a.brand href="/admin/" { "RepairMyBike" }
                form.find role="search" action="/admin/search/" {
                    label.visually-hidden for="find" { "Search" }
                    input #find type="search" name="q" placeholder="Search  ( / )" autocomplete="off";
                }
                details.me {
                    summary { span { (self.person.name) } }
                    div.menu {
                        // On phones the summary is an icon.
                        p { (self.person.name) br; @if self.person.is_admin { "Administrator" } @else { "Staff" } }
                        form method="post" action="/admin/language/" {
                            @let (tag, name) = if self.person.words.0 == Language::English { ("hi", "हिन्दी") } else { ("en", "English") };
                            input type="hidden" name="language" value=(tag);
                            button.plain type="submit" lang=(tag) { (name) }
                        }
                        form method="post" action="/admin/sign-out/" { button.plain type="submit" { "Sign out" } }
                        form method="post" action="/admin/sign-out/everywhere/" {
                            button.plain type="submit" { "Sign out everywhere" }
                        }
                    }
                }
            }
            (self.sections())
            main #main tabindex="-1" {
                @if !self.above.is_empty() {
                    nav.crumbs aria-label="Where you are" {
                        @for (path, title) in self.above { a href=(path) { (title) } span aria-hidden="true" { " › " } }
                    }
                }
                @if let Some(notice) = self.notice { div.notice role="status" { p { (notice) } } }
                (content)
            }
        };
        page(self.status, document(self.person.words.0, self.title, "panel", &body).into_string())
    }

    fn sections(&self) -> Markup {
        html! {
            // A popover on phones; the style sheet shows it always where there is room.
            nav #sections popover aria-label="Sections" {
                @for (group, is_for_admins, places) in SECTIONS {
                    @if !is_for_admins || self.person.is_admin {
                        p.group { (group) }
                        ul {
                            @for place in *places {
                                li { a href=(place.path) aria-current=[(place.path == self.place).then_some("page")] { (title_of(self.person, place)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A section's title in the person's language, where it has words in it.
fn title_of(person: &Person, place: &Place) -> &'static str {
    match place.path {
        "/admin/" => person.words.today(),
        "/admin/bookings/" => person.words.bookings(),
        "/admin/bookings/new/" => person.words.walk_in(),
        "/admin/cash/" => person.words.cash(),
        "/admin/messages/" => person.words.messages(),
        _ => place.title,
    }
}

/// A page for people who are not signed in.
pub(crate) fn entrance(title: &str, is_refused: bool, content: &Markup) -> Response {
    let status = if is_refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page(status, bare(title, content).into_string())
}

/// A page without sections, such as that of a failure.
pub(crate) fn bare(title: &str, content: &Markup) -> Markup {
    document(Language::English, title, "bare", &html! { main #main { p.brand { "RepairMyBike" } (content) } })
}

/// A whole page: also what is printed, which has a body of its own class.
pub(crate) fn document(language: Language, title: &str, class: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · RepairMyBike" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(format!("/admin/assets/{}", assets::CSS));
                script type="module" src=(format!("/admin/assets/{}", assets::JS)) {}
            }
            body class=(class) { (body) }
        }
    }
}

/// Leads to another page after a form.
pub(crate) fn redirect(path: &str) -> Response {
    see_other(path, "/admin/")
}
