//! Prices as a file: down, up with a preview, and the save that follows.

use axum::{
    extract::{Multipart, State, multipart::MultipartRejection},
    response::Response,
};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    ids::{ServiceId, VehicleModelId},
    money::Money,
};

use super::{
    PLACE, above,
    choice::Choice,
    lines::{self, Faulty, Line, Lines},
    offers::{self, Known, Pair, expand},
    plan::{self, Change, Outcome, Plan, Source},
    preview,
};
use crate::{
    App,
    kit::{
        ask::{Ask, LONGEST_FILE},
        cell::{Cell, harmless},
        file,
        form::{Form, problem},
        list::Column,
        page::{Page, redirect},
        rows::Rows,
    },
    session::Person,
};

const PATH: &str = "/admin/prices/file/";

struct Row {
    service_id: ServiceId,
    vehicle_model_id: VehicleModelId,
    service: String,
    brand: String,
    model: String,
    price: Money,
    count: i64,
}

/// All prices, or those of a brand, model or service, as a CSV file that can be sent back.
pub(crate) async fn download(State(app): State<App>, ask: Ask) -> Result<Response> {
    let choice = Choice::of(&ask);
    let rows = sqlx::query_as!(
        Row,
        r#"
        select service.id as service_id, model.id as vehicle_model_id, service.name as service, brand.name as brand,
            model.name as model, price.price_paise as price, count(*) over () as "count!"
        from service_prices price
        join services service on service.id = price.service_id
        join service_categories category on category.id = service.service_category_id
        join vehicle_models model on model.id = price.vehicle_model_id
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        join vehicle_types type on type.id = brand.vehicle_type_id
        where ($1::bigint is null or brand.id = $1) and ($2::bigint is null or model.id = $2)
            and ($3::bigint is null or service.id = $3)
            and model.archived_at is null and brand.archived_at is null and type.archived_at is null
            and service.archived_at is null and category.archived_at is null
        order by lower(brand.name), brand.id, lower(model.name), model.id, category.id, service.id
        limit $4
        "#,
        choice.brand.map(|id| id.0),
        choice.model.map(|id| id.0),
        choice.service.map(|id| id.0),
        LONGEST_FILE
    )
    .fetch_all(&app.database().pool())
    .await?;
    let columns = [
        Column::plain("service_id", "service_id", |row: &Row| Cell::Number(row.service_id.0)),
        Column::plain("vehicle_model_id", "vehicle_model_id", |row| Cell::Number(row.vehicle_model_id.0)),
        Column::plain("service", "service", |row| Cell::Text(row.service.clone())),
        Column::plain("brand", "brand", |row| Cell::Text(row.brand.clone())),
        Column::plain("model", "model", |row| Cell::Text(row.model.clone())),
        Column::plain("price", "price", |row| Cell::Money(row.price)),
    ];
    let count = rows.first().map_or(0, |row| row.count);
    file::file(PLACE, &columns, &Rows::all(rows, count))
}

/// The page on which a file is chosen.
pub(crate) async fn page(person: Person) -> Result<Response> {
    Ok(show(&person, StatusCode::OK, None, &html! {}))
}

/// Shows what a file would change. Nothing is written.
pub(crate) async fn upload(
    State(app): State<App>,
    person: Person,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let refuse = |sentence: &str| Ok(show(&person, StatusCode::BAD_REQUEST, Some(sentence), &html! {}));
    let Some(bytes) = sent(body).await? else { return refuse("Choose a file first.") };
    let lines = match lines::read(&bytes) {
        Ok(lines) => lines,
        Err(sentence) => return refuse(&sentence),
    };
    if lines.lines.is_empty() && lines.faulty.is_empty() {
        return refuse("The file has no prices: there is nothing below its first line.");
    }
    let mut connection = app.database().pool().acquire().await?;
    let pairs: Vec<Pair> = lines.lines.iter().map(|line| line.pair).collect();
    let known = offers::look_up(&mut connection, &pairs).await?;
    let (plan, faulty) = compare(lines, known);
    if faulty.is_empty() {
        return Ok(show(&person, StatusCode::OK, None, &changes(&plan)));
    }
    let sentence = "Nothing can be saved yet: some lines are faulty. Correct them in the file and send it again.";
    let content = html! { (faults(&faulty)) (counts(&plan)) (preview::list(&plan)) };
    Ok(show(&person, StatusCode::BAD_REQUEST, Some(sentence), &content))
}

/// The bytes of the chosen file; `None` without one.
async fn sent(body: Result<Multipart, MultipartRejection>) -> Result<Option<Vec<u8>>> {
    let Ok(mut body) = body else { return Ok(None) };
    let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::PayloadTooLarge,
        _ => Error::field("file", "The file has not arrived whole."),
    };
    while let Some(field) = body.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(broken)?;
            return Ok((!bytes.is_empty()).then(|| bytes.to_vec()));
        }
    }
    Ok(None)
}

/// Compares lines with what is saved. A line whose names are not ours may come from the file of another shop.
fn compare(lines: Lines, known: Vec<Known>) -> (Plan, Vec<Faulty>) {
    let (mut plan, mut faulty) = (Plan::default(), lines.faulty);
    for (line, known) in lines.lines.into_iter().zip(known) {
        match named(&line, known) {
            Ok(change) => plan.add(change),
            Err(sentence) => faulty.push(Faulty { number: line.number, sentence }),
        }
    }
    faulty.sort_by_key(|line| line.number);
    (plan, faulty)
}

fn named(line: &Line, known: Known) -> Result<Change, String> {
    let Pair { service_id, vehicle_model_id } = line.pair;
    let service = known.service.ok_or_else(|| format!("There is no service {service_id} on offer."))?;
    let (Some(brand), Some(model)) = (known.brand, known.model) else {
        return Err(format!("There is no model {vehicle_model_id} on offer."));
    };
    let ours = [
        ("Service", service_id.0, &service),
        ("The brand of model", vehicle_model_id.0, &brand),
        ("Model", vehicle_model_id.0, &model),
    ];
    for (theirs, (what, id, ours)) in line.names.iter().zip(ours) {
        if let Some(theirs) = theirs
            && theirs != ours.trim()
            && *theirs != harmless(ours).trim()
        {
            return Err(format!("{what} {id} is “{ours}” here and “{theirs}” in the file."));
        }
    }
    let model = format!("{brand} {model}");
    Ok(Change { line: Some(line.number), pair: line.pair, service, model, old: known.paise, new: line.price })
}

/// Saves what the preview has listed.
pub(crate) async fn confirm(State(app): State<App>, person: Person, form: Form) -> Result<Response> {
    let damaged = || Error::field("changes", "Send the file again.");
    let prices = expand(form.value("changes")).ok_or_else(damaged)?;
    let is_price = |(_, paise): &(Pair, Option<i64>)| paise.is_none_or(|paise| paise > 0);
    if !prices.iter().all(is_price) {
        return Err(damaged());
    }
    let source = Source::File(prices);
    let refused = match plan::write(&app, &person, &source, &form).await? {
        Outcome::Saved(count) => {
            let count = count.to_string();
            return Ok(redirect(&Choice::default().address(&[("done", "saved"), ("count", &count)])));
        }
        refused => refused,
    };
    let status = match refused {
        Outcome::Refused => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    };
    let mut connection = app.database().pool().acquire().await?;
    let plan = source.plan(&mut connection).await?;
    Ok(show(&person, status, preview::refusal(&refused), &changes(&plan)))
}

fn show(person: &Person, status: StatusCode, sentence: Option<&str>, content: &Markup) -> Response {
    let title = "Prices as a file";
    let content = html! {
        h1 { (title) }
        (problem(sentence))
        (content)
        form.stack method="post" action=(PATH) enctype="multipart/form-data" {
            p {
                a href=(Choice::default().file()) download { "Download all prices" }
                ", change the column price in a spreadsheet, save it as CSV and choose it here. You see what would change before anything is saved."
            }
            div.field {
                label for="field-file" { "Price file" }
                input #field-file type="file" name="file" accept=".csv,text/csv" required aria-describedby="about-file";
                div #about-file { p.hint { "A CSV file of at most 2 MB. Prices that are not in it stay; an empty price takes the service off offer for the model." } }
            }
            div.actions { button type="submit" { "Show what changes" } a href=(PLACE.path) { "Cancel" } }
        }
    };
    Page::new(person, PLACE.path, title).below(&above()).status(status).show(&content)
}

fn changes(plan: &Plan) -> Markup {
    let compact = plan.compact();
    html! {
        (counts(plan))
        (preview::list(plan))
        @if plan.changes.is_empty() {
            p.empty { "The file has the saved prices, so there is nothing to save." }
        } @else {
            (preview::confirm(plan, "/admin/prices/file/confirm/", &[("changes", &compact)], PLACE.path))
        }
    }
}

fn counts(plan: &Plan) -> Markup {
    let count = |is: fn(&Change) -> bool| plan.changes.iter().filter(|change| is(change)).count();
    html! {
        h2 { "What would change" }
        ul.counts {
            li { (count(|change| change.old.is_none())) " new" }
            li { (count(|change| change.old.is_some() && change.new.is_some())) " changed" }
            li { (count(|change| change.new.is_none())) " removed" }
            li { (plan.unchanged) " unchanged" }
        }
    }
}

fn faults(faulty: &[Faulty]) -> Markup {
    html! {
        h2 { (faulty.len()) " faulty " @if faulty.len() == 1 { "line" } @else { "lines" } }
        ul.faults {
            @for line in faulty.iter().take(preview::LISTED) { li { "Line " (line.number) ": " (line.sentence) } }
        }
        (preview::more(faulty.len()))
    }
}
