//! History of the catalogue, the shop, staff keys and people: who changed which row, when, from what to what. Triggers
//! write it, table `audit_events`; here a transaction is signed, and the history is read.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    bookings::Actor,
    database::Database,
    ids::{AuditEventId, UserId},
};

/// Way in of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "audit_source", rename_all = "snake_case")]
pub enum Source {
    Panel,
    Api,
    Import,
    Migrate,
    Job,
    /// Not signed: SQL of an operator.
    Psql,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::Api => "api",
            Self::Import => "import",
            Self::Migrate => "migrate",
            Self::Job => "job",
            Self::Psql => "psql",
        }
    }
}

/// What a statement did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "audit_action", rename_all = "snake_case")]
pub enum Action {
    Insert,
    Update,
    Delete,
}

/// Who makes a change, and by which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// `user:<id>`, `staff:<label>`, `system`, or `descope` for what was changed there.
    pub actor: String,
    pub source: Source,
    /// Of the request, as in its log lines.
    pub request_id: Option<String>,
}

impl Author {
    /// A signed-in user.
    pub fn user(id: UserId, source: Source, request_id: Option<String>) -> Self {
        Self { actor: format!("user:{id}"), source, request_id }
    }

    /// A deployer, or a program of ours.
    pub fn system(source: Source) -> Self {
        Self { actor: Actor::System.to_string(), source, request_id: None }
    }

    /// The console of Descope, whose changes are learnt from tokens.
    pub(crate) fn descope() -> Self {
        Self { actor: "descope".to_owned(), source: Source::Api, request_id: None }
    }
}

/// Signs the changes of a transaction, from here to its end. Unsigned ones are of `system`, by `psql`.
pub async fn sign(connection: &mut PgConnection, author: &Author) -> sqlx::Result<()> {
    sqlx::query!(
        "select set_config('app.actor', $1, true) as actor, set_config('app.source', $2, true) as source,
            set_config('app.request_id', $3, true) as request_id",
        author.actor,
        author.source.as_str(),
        author.request_id.as_deref().unwrap_or_default()
    )
    .fetch_one(connection)
    .await
    .map(drop)
}

/// Records what no trigger sees, such as an ended session, with the signature of the transaction.
pub(crate) async fn record(
    executor: impl PgExecutor<'_>,
    table: &str,
    record: &str,
    action: Action,
    changes: &Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into audit_events (actor, source, request_id, table_name, record_id, action, changes)
        values (
            current_setting('app.actor'), current_setting('app.source')::audit_source,
            nullif(current_setting('app.request_id'), ''), $1, $2, $3, $4
        )
        ",
        table,
        record,
        action as Action,
        changes
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Which entries are looked for; all filters must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub actor: Option<String>,
    pub source: Option<Source>,
    /// The name of the table.
    pub table: Option<String>,
    /// The record's key in the table: the id; of a price `<service>/<model>`, of opening hours the weekday, of a holiday
    /// the date.
    pub record: Option<String>,
    /// On the shop's clock.
    pub day: Option<NaiveDate>,
    /// The last id of the page before.
    pub before: Option<AuditEventId>,
}

/// One change of one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub id: AuditEventId,
    #[serde(with = "crate::http::time")]
    pub at: DateTime<Utc>,
    /// The same on the shop's clock.
    #[serde(skip)]
    pub at_the_shop: NaiveDateTime,
    pub actor: String,
    /// The present name of the user, or what the account was made with.
    pub actor_name: Option<String>,
    pub source: Source,
    pub request_id: Option<String>,
    pub table_name: String,
    pub record_id: String,
    /// What the record is called now; of a price, the service and the model. `None` for the shop, hours and holidays.
    pub record_name: Option<String>,
    pub action: Action,
    /// The old value and the new one of each column that differs: `{"name": ["Hero", "Hero MotoCorp"]}`.
    pub changes: Value,
}

/// The newest matching entries, newest first.
pub async fn list(database: &Database, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Entry>> {
    database.planned_anew(async |connection| select(connection, filter, limit).await).await
}

async fn select(connection: &mut PgConnection, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        r#"
        select id, at, shop_clock(at) as "at_the_shop!", actor, name_of_actor(actor) as actor_name, source as "source: Source", request_id, table_name,
            record_id, name_of_record(table_name, record_id) as record_name, action as "action: Action", changes
        from (
            select id, at, actor, source, request_id, table_name, record_id, action, changes
            from audit_events
            where ($1::text is null or actor = $1)
                and ($2::audit_source is null or source = $2)
                and ($3::text is null or table_name = $3)
                and ($4::text is null or record_id = $4)
                and ($5::date is null or (
                    at >= $5::timestamp at time zone (select time_zone from shops where id = shop_id())
                    and at < ($5 + 1)::timestamp at time zone (select time_zone from shops where id = shop_id())
                ))
                and ($6::bigint is null or (at, id) < (select at, id from audit_events where id = $6))
            order by at desc, id desc
            limit $7
        ) as page
        order by at desc, id desc
        "#,
        filter.actor,
        filter.source as Option<Source>,
        filter.table,
        filter.record,
        filter.day,
        filter.before as Option<AuditEventId>,
        limit
    )
    .fetch_all(connection)
    .await
}
