//! The list of users.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::html;
use shared::{
    Result,
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    database::Database,
    ids::UserId,
};

use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{Cell, Tone},
        file,
        list::{Column, Filter, List},
        page::{Page, Place},
        rows::Rows,
    },
    session::Person,
    words::Words,
};

pub(super) const PLACE: Place = Place { path: "/admin/users/", title: "Users" };

struct Row {
    id: UserId,
    name: String,
    username: String,
    email: Option<String>,
    is_email_verified: bool,
    phone: Option<String>,
    is_phone_verified: bool,
    roles: Vec<String>,
    is_blocked: bool,
    created: NaiveDateTime,
    count: i64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("id", "ID", |row| Cell::Number(row.id.0)),
        Column::sorted("username", "User name", |row| Cell::link(format!("/admin/users/{}/", row.id), &row.username)),
        Column::sorted("name", "Name", |row| Cell::Text(row.name.clone())),
        Column::sorted("email", "E-mail", |row| Cell::optional(row.email.as_deref())),
        Column::sorted("email-verified", "E-mail verified", |row| yes(row.is_email_verified)),
        Column::sorted("phone", "Phone", |row| Cell::optional(row.phone.as_deref())),
        Column::sorted("phone-verified", "Phone verified", |row| yes(row.is_phone_verified)),
        Column::sorted("staff", "Staff", |row| yes(row.has(STAFF_ROLE) || row.has(ADMIN_ROLE))),
        Column::sorted("admin", "Administrator", |row| yes(row.has(ADMIN_ROLE))),
        Column::sorted("state", "State", |row| {
            if row.is_blocked { Cell::Tag(Tone::Bad, "Blocked") } else { Cell::Tag(Tone::Good, "Active") }
        }),
        Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
    ]
}

impl Row {
    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }
}

fn yes(is_so: bool) -> Cell {
    if is_so { Cell::Tag(Tone::Good, "Yes") } else { Cell::Tag(Tone::Quiet, "No") }
}

fn filters() -> Vec<Filter> {
    let flag = |name, label, yes: &str, no: &str| Filter::Choice {
        name,
        label,
        all: "All",
        choices: vec![("yes".to_owned(), yes.to_owned()), ("no".to_owned(), no.to_owned())],
    };
    vec![
        flag("staff", "Staff", "Staff", "Not staff"),
        flag("admin", "Administrator", "Administrators", "Not administrators"),
        flag("email_verified", "E-mail", "Verified", "Not verified"),
        flag("phone_verified", "Phone", "Verified", "Not verified"),
        flag("blocked", "Blocked", "Blocked", "Not blocked"),
        Filter::Days { name: "created", label: "Created" },
    ]
}

async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select id, trim(first_name || ' ' || last_name) as "name!", username, email, is_email_verified, phone,
            is_phone_verified, roles, blocked_at is not null as "is_blocked!", shop_clock(created_at) as "created!",
            count(*) over () as "count!"
        from users
        where ($1::text is null or lower(username) like $1 or email like $1 or phone like $1
                or lower(first_name || ' ' || last_name) like $1)
            and ($2::boolean is null or (roles && array['staff', 'admin']) = $2)
            and ($3::boolean is null or ('admin' = any (roles)) = $3)
            and ($4::boolean is null or is_email_verified = $4)
            and ($5::boolean is null or is_phone_verified = $5)
            and ($6::boolean is null or (blocked_at is not null) = $6)
            and ($7::date is null or shop_clock(created_at)::date >= $7)
            and ($8::date is null or shop_clock(created_at)::date <= $8)
        order by
            case $9 when 'id' then id when 'created' then extract(epoch from created_at) end,
            case $9 when '-id' then id when '-created' then extract(epoch from created_at) end desc,
            case $9 when 'username' then lower(username) when 'email' then email when 'phone' then phone
                when 'name' then lower(trim(first_name || ' ' || last_name)) end,
            case $9 when '-username' then lower(username) when '-email' then email when '-phone' then phone
                when '-name' then lower(trim(first_name || ' ' || last_name)) end desc nulls last,
            case $9 when 'email-verified' then is_email_verified when 'phone-verified' then is_phone_verified
                when 'staff' then roles && array['staff', 'admin'] when 'admin' then 'admin' = any (roles)
                when 'state' then blocked_at is not null end,
            case $9 when '-email-verified' then is_email_verified when '-phone-verified' then is_phone_verified
                when '-staff' then roles && array['staff', 'admin'] when '-admin' then 'admin' = any (roles)
                when '-state' then blocked_at is not null end desc,
            id desc
        limit $10 offset $11
        "#,
        ask.pattern(),
        ask.flag("staff"),
        ask.flag("admin"),
        ask.flag("email_verified"),
        ask.flag("phone_verified"),
        ask.flag("blocked"),
        ask.day("created_from"),
        ask.day("created_to"),
        ask.sort(),
        ask.limit(),
        ask.offset()
    )
    .fetch_all(&database.pool())
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok(Rows::numbered(rows, count, ask))
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let rows = rows(app.database(), &ask).await?;
    let (columns, filters) = (columns(), filters());
    let list = List {
        place: PLACE,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: Some("Name, user name, e-mail or phone"),
        empty: "No user has signed in yet. People appear here when they do.",
        bulk: None,
        words: Words::default(),
    };
    let content = html! {
        h1 { (PLACE.title) }
        p.hint { "Roles are as last seen at Descope. People join the shop by signing in once; then give them a role here." }
        (list.show())
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

pub(crate) async fn file(State(app): State<App>, ask: Ask) -> Result<Response> {
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
