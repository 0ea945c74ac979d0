//! The page that changes the prices of a brand by percent.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{Error, Result, ids::VehicleBrandId};

use super::{
    PLACE, above,
    choice::Choice,
    counted,
    offers::{self, Offer},
    plan::{self, Outcome, Plan, Source},
    preview,
    raise::{Raise, STEPS},
};
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, Input, problem},
        page::{Page, redirect},
    },
    session::Person,
};

const PATH: &str = "/admin/prices/percent/";

/// The form and, once it is filled in, what it would change.
pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let Some(brand) = ask.id("brand").map(VehicleBrandId) else { return Ok(redirect(PLACE.path)) };
    let mut form = Form::of(ask.values().clone());
    if ask.value("percent").is_none() {
        form.set("rounding", "10");
        form.set("over", "all");
        return show(&app, &person, brand, &form, None, None).await;
    }
    let raise = form.read::<Raise>();
    show(&app, &person, brand, &form, raise.as_ref(), None).await
}

/// Makes the changes that the page has listed.
pub(crate) async fn confirm(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(raise) = form.read::<Raise>() else {
        let brand = form.value("brand").parse().map(VehicleBrandId).map_err(|_| Error::NotFound("Brand"))?;
        return show(&app, &person, brand, &form, None, None).await;
    };
    match plan::write(&app, &person, &Source::Percent(raise), &form).await? {
        Outcome::Saved(count) => {
            let count = count.to_string();
            Ok(redirect(&Choice::brand(raise.brand).address(&[("done", "saved"), ("count", &count)])))
        }
        refused => show(&app, &person, raise.brand, &form, Some(&raise), Some(&refused)).await,
    }
}

async fn show(
    app: &App,
    person: &Person,
    brand: VehicleBrandId,
    form: &Form,
    raise: Option<&Raise>,
    refused: Option<&Outcome>,
) -> Result<Response> {
    let offers = offers::load(&app.database().pool(), Choice::brand(brand)).await?;
    let Some(first) = offers.first() else { return Ok(redirect(&Choice::brand(brand).address(&[]))) };
    let title = format!("Change prices of {}", first.brand);
    let content = html! {
        h1 { (title) }
        (problem(refused.and_then(preview::refusal)))
        form.stack method="get" action=(PATH) {
            input type="hidden" name="brand" value=(brand.0);
            (Input::new("percent", "Percent").required().max(10).hint("From -50 to 100: 5 raises by 5 %, -5 lowers by 5 %.").in_form(form))
            (Input::new("rounding", "Round to").required().select_in(form, &steps()))
            (Input::new("over", "Which prices").required().select_in(form, &parts(&offers)))
            div.actions { button.plain type="submit" { "Show what changes" } a href=(Choice::brand(brand).address(&[])) { "Cancel" } }
        }
        @if let Some(raise) = raise { (changes(&plan::raised(raise, &offers), brand, form)) }
    };
    let status = match refused {
        Some(Outcome::Stale) => StatusCode::CONFLICT,
        Some(Outcome::Refused) => StatusCode::SERVICE_UNAVAILABLE,
        _ if form.has_faults() => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    Ok(Page::new(person, PLACE.path, &title).below(&above()).status(status).show(&content))
}

fn changes(plan: &Plan, brand: VehicleBrandId, form: &Form) -> Markup {
    let fields = ["percent", "rounding", "over"].map(|name| (name, form.value(name)));
    let brand_field = brand.to_string();
    let fields: Vec<_> = [("brand", brand_field.as_str())].into_iter().chain(fields).collect();
    html! {
        h2 { (counted(plan.changes.len())) " would change" @if plan.unchanged > 0 { ", " (plan.unchanged) " would stay" } }
        @if plan.too_high() > 0 {
            (problem(Some("Some new prices would be above ₹10,00,000.00, the highest price. Enter a lower percentage.")))
        }
        (preview::list(plan))
        @if plan.changes.is_empty() {
            p.empty { "No price changes. Enter another percentage, round to less, or choose other prices." }
        } @else if plan.too_high() == 0 {
            (preview::confirm(plan, PATH, &fields, &Choice::brand(brand).address(&[])))
        }
    }
}

fn steps() -> Vec<(String, String)> {
    STEPS.map(|(value, text, _)| (value.to_owned(), text.to_owned())).to_vec()
}

/// What can be chosen: all prices, or those of a category, a service, a model.
fn parts(offers: &[Offer]) -> Vec<(String, String)> {
    let categories =
        offers.iter().map(|offer| (format!("category-{}", offer.category_id), format!("Category: {}", offer.category)));
    let services =
        offers.iter().map(|offer| (format!("service-{}", offer.service_id), format!("Service: {}", offer.service)));
    let models =
        offers.iter().map(|offer| (format!("model-{}", offer.vehicle_model_id), format!("Model: {}", offer.model)));
    let mut parts = vec![("all".to_owned(), "All prices of this brand".to_owned())];
    for part in categories.chain(services).chain(models) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}
