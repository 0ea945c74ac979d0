//! The grid: services by models of a brand, saved cell by cell.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{Error, Result, catalogue};
use sqlx::PgConnection;

use super::{
    PLACE,
    amount::{plain, spoken},
    choice::Choice,
    counted,
    draft::Draft,
    offers::{self, Brand, Offer, Pair, compact},
};
use crate::{
    App,
    catalogue::NOTHING_CHANGED,
    kit::{
        ask::Ask,
        form::{Form, problem},
        page::{Page, redirect},
    },
    session::Person,
};

const FAULTY: &str = "Nothing was saved: some amounts are faulty. Correct the cells with a sentence below them.";
const FOREIGN: &str = "Nothing was saved: one of the services or models is not here or no longer on offer.";
const CLASH: &str = "Nothing was saved: another user has changed some of these prices since you opened the page. Your \
    prices are in the cells and theirs below. Save again to keep yours, or put theirs in.";

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let choice = Choice::of(&ask);
    let saved = ask.value("done").filter(|done| *done == "saved").and_then(|_| ask.value("count")?.parse::<u64>().ok());
    let notice = saved.map(|count| match count {
        0 => "Nothing to save: these prices are the saved ones.".to_owned(),
        count => format!("{} saved. Customers see them now.", counted(count)),
    });
    View { notice, ..View::default() }.show(&app, &person, choice).await
}

/// Saves the changed cells, all or none.
pub(crate) async fn save(State(app): State<App>, person: Person, ask: Ask, form: Form) -> Result<Response> {
    let choice = Choice::of(&ask);
    if choice.is_open() {
        return Err(Error::NotFound("Page"));
    }
    let draft = Draft::of(&form);
    if draft.is_faulty() {
        return View::refused(draft, StatusCode::BAD_REQUEST, FAULTY).show(&app, &person, choice).await;
    }
    let save = async |connection: &mut PgConnection| {
        let compared = draft.compare(&offers::load(&mut *connection, choice).await?);
        if compared.has_foreign || !compared.clashes.is_empty() {
            return Ok(((compared, 0), false));
        }
        let count = catalogue::prices::set(connection, &compared.changes).await?;
        Ok::<_, Error>(((compared, count), count > 0))
    };
    let view = match catalogue::change(app.database(), &app.redis, &person.author(), save).await {
        Ok(((compared, _), _)) if compared.has_foreign => View::refused(draft, StatusCode::BAD_REQUEST, FOREIGN),
        Ok(((compared, _), _)) if !compared.clashes.is_empty() => {
            View { clashes: compared.clashes, ..View::refused(draft, StatusCode::CONFLICT, CLASH) }
        }
        Ok(((_, count), _)) => {
            return Ok(redirect(&choice.address(&[("done", "saved"), ("count", &count.to_string())])));
        }
        Err(Error::Redis(_)) => View::refused(draft, StatusCode::SERVICE_UNAVAILABLE, NOTHING_CHANGED),
        Err(error) => return Err(error),
    };
    view.show(&app, &person, choice).await
}

/// What the grid is shown with.
#[derive(Default)]
struct View {
    status: StatusCode,
    notice: Option<String>,
    problem: Option<&'static str>,
    draft: Draft,
    clashes: BTreeSet<Pair>,
}

impl View {
    fn refused(draft: Draft, status: StatusCode, problem: &'static str) -> Self {
        Self { draft, status, problem: Some(problem), ..Self::default() }
    }

    async fn show(&self, app: &App, person: &Person, choice: Choice) -> Result<Response> {
        let brands = offers::brands(app.database()).await?;
        let offers = if choice.is_open() { Vec::new() } else { offers::load(&app.database().pool(), choice).await? };
        let title = title(choice, &offers);
        let content = html! {
            div.heading {
                h1 { (title) }
                @if person.is_admin { a.button.plain href="/admin/prices/file/" { "Upload a file" } }
            }
            (problem(self.problem))
            (choose(&brands, choice, &offers))
            @if choice.is_open() {
                (list(&brands))
            } @else if offers.is_empty() {
                p.empty { "Nothing on offer here. Add a model and a service, or restore them, and set their prices here." }
            } @else {
                (links(choice, &offers, person.is_admin))
                (self.form(person, choice, &offers))
            }
        };
        let page = Page::new(person, PLACE.path, &title).notice(self.notice.as_deref()).status(self.status);
        Ok(page.show(&content))
    }

    fn form(&self, person: &Person, choice: Choice, offers: &[Offer]) -> Markup {
        if !person.is_admin {
            return table(choice, offers, &|offer| html! { td.num { (read_only(offer)) } });
        }
        let shown =
            compact(offers.iter().map(|offer| (offer.pair(), self.was(offer))).filter(|(_, was)| was.is_some()));
        html! {
            form.prices method="post" action=(choice.address(&[])) autocomplete="off" data-prices {
                input type="hidden" name="was" value=(shown);
                (table(choice, offers, &|offer| self.cell(offer)))
                div.savebar {
                    output data-count { @if self.draft.len() > 0 { (counted(self.draft.len())) " changed" } }
                    button type="submit" { "Save prices" }
                }
            }
        }
    }

    /// What the cell's author takes for the saved price when the page is shown. After a clash that is theirs, so the
    /// next save overwrites it knowingly.
    fn was(&self, offer: &Offer) -> Option<i64> {
        let typed = self.draft.cell(offer.pair()).filter(|_| !self.clashes.contains(&offer.pair()));
        typed.map_or(offer.paise, |typed| typed.was)
    }

    fn cell(&self, offer: &Offer) -> Markup {
        let (pair, was) = (offer.pair(), plain(self.was(offer)));
        let (typed, is_clash) = (self.draft.cell(pair), self.clashes.contains(&pair));
        let fault = typed.and_then(|typed| typed.price.err());
        let value = typed.map_or(was.as_str(), |typed| typed.text.as_str());
        let name = format!("price-{}-{}", pair.service_id, pair.vehicle_model_id);
        let about = (is_clash || fault.is_some()).then(|| format!("about-{name}"));
        html! {
            td.changed[typed.is_some()].clash[is_clash].faulty[fault.is_some()] {
                input name=(name) value=(value) data-was=(was) inputmode="decimal"
                    aria-label=(format!("{}, {}", offer.service, offer.model))
                    aria-invalid=[fault.map(|_| "true")] aria-describedby=[about.as_deref()];
                @if let Some(fault) = fault { small.fault id=[about.as_deref()] { (fault) } }
                @if is_clash { small.theirs id=[about.as_deref()] { "Now saved: " (spoken(offer.paise)) } }
            }
        }
    }
}

fn read_only(offer: &Offer) -> String {
    offer.paise.map(|paise| spoken(Some(paise))).unwrap_or_default()
}

fn title(choice: Choice, offers: &[Offer]) -> String {
    let Some(first) = offers.first() else { return PLACE.title.to_owned() };
    let vehicle = match choice {
        Choice { model: Some(_), .. } => format!("{} {}", first.brand, first.model),
        Choice { brand: Some(_), .. } => first.brand.clone(),
        Choice { .. } => return format!("Prices of {}", first.service),
    };
    match choice.service {
        Some(_) => format!("Prices of {} for {vehicle}", first.service),
        None => format!("Prices of {vehicle}"),
    }
}

fn table(choice: Choice, offers: &[Offer], cell: &dyn Fn(&Offer) -> Markup) -> Markup {
    let rows: Vec<&[Offer]> = if choice.is_list() {
        offers.chunk_by(|one, next| one.vehicle_model_id == next.vehicle_model_id).collect()
    } else {
        offers.chunk_by(|one, next| one.service_id == next.service_id).collect()
    };
    let columns = rows.first().copied().unwrap_or_default();
    html! {
        div.grid-scroll role="region" aria-label="Prices" tabindex="0" {
            table.price-grid {
                thead {
                    tr {
                        th scope="col" { @if choice.is_list() { "Model" } @else { "Service" } }
                        @for column in columns { th scope="col" { (heading(choice, column)) } }
                    }
                }
                tbody {
                    @for group in rows.chunk_by(|one, next| group(choice, one) == group(choice, next)) {
                        tr.group { th colspan=(columns.len() + 1) scope="colgroup" { (group.first().and_then(|row| group_name(choice, row)).unwrap_or_default()) } }
                        @for row in group {
                            tr {
                                th scope="row" { @if let Some(first) = row.first() { (row_name(choice, first)) } }
                                @for offer in *row { (cell(offer)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn choose(brands: &[Brand], choice: Choice, offers: &[Offer]) -> Markup {
    let chosen = choice.brand.or_else(|| choice.model.and(offers.first().map(|offer| offer.brand_id)));
    html! {
        form.filters method="get" action=(PLACE.path) data-auto {
            div.field {
                label for="prices-brand" { "Brand" }
                select #prices-brand name="brand" {
                    option value="" { "Choose a brand" }
                    @for brand in brands {
                        option value=(brand.id) selected[chosen == Some(brand.id)] { (brand.name) " (" (brand.count) ")" }
                    }
                }
            }
            button.plain type="submit" { "Show prices" }
        }
    }
}

fn list(brands: &[Brand]) -> Markup {
    html! {
        @if brands.is_empty() {
            p.empty { "There is no brand yet. Add brands, models and services first; their prices are set here." }
        } @else {
            div.bar {
                a href="/admin/prices/list/" { "List of all prices" }
                a href=(Choice::default().file()) download { "Download all as CSV" }
            }
            ul.cards {
                @for brand in brands {
                    li { a href=(Choice::brand(brand.id).address(&[])) { strong { (brand.name) } " " (counted(brand.count)) } }
                }
            }
        }
    }
}

fn links(choice: Choice, offers: &[Offer], is_admin: bool) -> Markup {
    let brand = (!choice.is_list()).then(|| offers.first()).flatten();
    html! {
        p.links {
            @if let Some(offer) = brand {
                @if choice.model.is_some() || choice.service.is_some() {
                    a href=(Choice::brand(offer.brand_id).address(&[])) { "All prices of " (offer.brand) }
                }
                @if is_admin { a href=(format!("/admin/prices/percent/?brand={}", offer.brand_id)) { "Change by percent" } }
            }
            a href=(choice.file()) download { "Download CSV" }
        }
    }
}

fn heading(choice: Choice, offer: &Offer) -> Markup {
    let model = Choice { model: Some(offer.vehicle_model_id), ..Choice::default() };
    html! {
        @if choice.is_list() { "Price" } @else { a href=(model.address(&[])) { (offer.model) } }
    }
}

fn row_name(choice: Choice, offer: &Offer) -> Markup {
    let model = Choice { model: Some(offer.vehicle_model_id), ..Choice::default() };
    let service = Choice { service: Some(offer.service_id), ..Choice::default() };
    html! {
        @if choice.is_list() {
            a href=(model.address(&[])) { (offer.model) }
        } @else {
            a href=(service.address(&[])) { (offer.service) }
        }
    }
}

fn group(choice: Choice, row: &[Offer]) -> Option<i64> {
    row.first().map(|offer| if choice.is_list() { offer.brand_id.0 } else { offer.category_id.0 })
}

fn group_name(choice: Choice, row: &[Offer]) -> Option<String> {
    row.first().map(|offer| if choice.is_list() { offer.brand.clone() } else { offer.category.clone() })
}
