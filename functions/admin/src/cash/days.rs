//! The list of closed days.

use axum::{extract::State, response::Response};
use chrono::{NaiveDate, NaiveDateTime};
use maud::html;
use shared::{Result, database::Database, money::Money};

use super::PLACE;
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::Cell,
        file,
        list::{Column, Filter, List},
        page::{Page, Place},
        rows::Rows,
    },
    payments::by,
    session::Person,
    words::{Words, day_text},
};

const DAYS: Place = Place { path: "/admin/cash/days/", title: "Closed days" };

pub(super) struct Row {
    pub(super) date: NaiveDate,
    pub(super) expected: Money,
    pub(super) counted: Money,
    left: Money,
    reason: String,
    by: String,
    at: NaiveDateTime,
    count: i64,
}

impl Row {
    pub(super) fn difference(&self) -> Money {
        (self.counted.paise() - self.expected.paise()).into()
    }
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("day", "Day", |row| Cell::link(format!("{}?day={}", PLACE.path, row.date), day_text(row.date))),
        Column::plain("expected", "Expected", |row| Cell::Money(row.expected)),
        Column::plain("counted", "Counted", |row| Cell::Money(row.counted)),
        Column::sorted("difference", "Difference", |row| Cell::Money(row.difference())),
        Column::plain("left", "Left for change", |row| Cell::Money(row.left)),
        Column::plain("reason", "Reason", |row| Cell::Text(row.reason.clone())),
        Column::plain("by", "Closed by", |row| Cell::Text(by(&row.by).to_owned())),
        Column::plain("at", "Closed at", |row| Cell::Moment(row.at)),
    ]
}

fn filters() -> Vec<Filter> {
    let choices = [("yes", "With a difference"), ("no", "Without")].map(|(value, text)| (value.into(), text.into()));
    vec![
        Filter::Choice { name: "differs", label: "Difference", all: "All", choices: choices.to_vec() },
        Filter::Days { name: "day", label: "Day" },
    ]
}

pub(super) async fn rows(database: &Database, ask: &Ask, limit: i64) -> Result<Rows<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select date, expected_paise as "expected: Money", counted_paise as "counted: Money", left_paise as "left: Money",
            reason, coalesce(name_of_actor(closed_by), closed_by) as "by!", shop_clock(closed_at) as "at!",
            count(*) over () as "count!"
        from cash_days
        where ($1::boolean is null or (counted_paise <> expected_paise) = $1)
            and ($2::date is null or date >= $2) and ($3::date is null or date <= $3)
        order by case $4 when 'difference' then counted_paise - expected_paise end,
            case $4 when '-difference' then counted_paise - expected_paise end desc,
            case $4 when 'day' then date end, date desc
        limit $5 offset $6
        "#,
        ask.flag("differs"),
        ask.day("day_from"),
        ask.day("day_to"),
        ask.sort(),
        limit,
        ask.offset()
    )
    .fetch_all(&database.pool())
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok(Rows::numbered(rows, count, ask))
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let ask = ask.offering_file(person.is_admin);
    let rows = rows(app.database(), &ask, ask.limit()).await?;
    let (columns, filters) = (columns(), filters());
    let list = List {
        place: DAYS,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: None,
        empty: "No day is closed yet. Days appear here once their drawer was counted.",
        bulk: None,
        words: Words::default(),
    };
    let content = html! { h1 { (DAYS.title) } (list.show()) };
    let above = [(PLACE.path.to_owned(), PLACE.title.to_owned())];
    Ok(Page::new(&person, PLACE.path, DAYS.title).below(&above).show(&content))
}

/// The same rows as a CSV file.
pub(crate) async fn file(State(app): State<App>, ask: Ask) -> Result<Response> {
    file::file(DAYS, &columns(), &rows(app.database(), &ask, ask.limit()).await?)
}
