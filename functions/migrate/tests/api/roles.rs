//! The database roles of the functions: what they may do, and Postgres's own defences.

use migrate::{App, Login, Roles};
use serde_json::json;
use shared::{config::Live, database::Database};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};

use crate::{app, handle};

/// Roles that no other test uses: they belong to the whole server.
struct Named {
    application: String,
    readers: String,
}

impl Named {
    async fn of(pool: &PgPool) -> Self {
        let database: String = sqlx::query_scalar("select current_database()").fetch_one(pool).await.unwrap();
        let short: String = database.chars().rev().take(40).collect();
        Self { application: format!("{short}_a"), readers: format!("{short}_r") }
    }

    fn roles(&self, password: &str) -> Roles {
        let login = |name: &str| Some(Login { name: name.to_owned(), password: password.into() });
        Roles { application: login(&self.application), readers: login(&self.readers) }
    }

    async fn drop(self, pool: &PgPool) {
        for name in [self.application, self.readers] {
            let name = format!("\"{name}\"");
            let end = format!(
                "revoke all on all tables in schema public from {name};
                revoke all on all sequences in schema public from {name};
                revoke all on schema public from {name};
                alter default privileges in schema public revoke all on tables from {name};
                alter default privileges in schema public revoke all on sequences from {name};
                drop role {name}"
            );
            sqlx::raw_sql(&end).execute(pool).await.unwrap();
        }
    }
}

async fn migrate_with(pool: &PgPool, roles: Roles) -> App {
    let app = App { roles: Live::fixed(roles), ..app(pool) };
    handle(&app, json!({ "action": "migrate" })).await.unwrap();
    app
}

fn of(pool: &PgPool, name: &str, password: &str) -> PgConnectOptions {
    (*pool.connect_options()).clone().username(name).password(password)
}

async fn code(connection: &mut PgConnection, statement: &str) -> String {
    match sqlx::raw_sql(statement).execute(connection).await {
        Ok(_) => "done".to_owned(),
        Err(error) => error.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

/// `insufficient_privilege`.
const REFUSED: &str = "42501";

#[sqlx::test(migrations = false)]
async fn each_role_may_do_what_its_functions_do_and_no_more(pool: PgPool) {
    let named = Named::of(&pool).await;
    migrate_with(&pool, named.roles("of the test")).await;
    // Tables of a later release are granted as they are made: triggers of the present one may write into them.
    sqlx::query("create table of_later (id bigint generated always as identity)").execute(&pool).await.unwrap();

    let mut application = PgConnection::connect_with(&of(&pool, &named.application, "of the test")).await.unwrap();
    for (statement, outcome) in [
        ("insert into vehicle_types (name, slug) values ('Moped', 'moped')", "done"),
        ("update catalogue_versions set version = version + 1", "done"),
        ("delete from holidays", "done"),
        ("select from bookings, users, _sqlx_migrations", "done"),
        ("insert into of_later default values", "done"),
        ("create table of_a_thief (id bigint)", REFUSED),
        ("alter table bookings add column stolen text", REFUSED),
        ("drop table of_later", REFUSED),
        ("truncate audit_events", REFUSED),
        ("delete from _sqlx_migrations", REFUSED),
        ("create role of_a_thief", REFUSED),
    ] {
        assert_eq!(code(&mut application, statement).await, outcome, "the application: {statement}");
    }

    let mut readers = PgConnection::connect_with(&of(&pool, &named.readers, "of the test")).await.unwrap();
    for (statement, outcome) in [
        ("select from vehicle_types, services, service_prices, shops, opening_hours, holidays", "done"),
        ("select from bookings", REFUSED),
        ("select from users", REFUSED),
        ("select from customers", REFUSED),
        ("select from staff_keys", REFUSED),
        ("select from of_later", REFUSED),
        ("set transaction read write; update services set name = 'Free'", REFUSED),
    ] {
        assert_eq!(code(&mut readers, statement).await, outcome, "a reader: {statement}");
    }
    application.close().await.unwrap();
    readers.close().await.unwrap();
    named.drop(&pool).await;
}

#[sqlx::test(migrations = false)]
async fn sessions_of_the_roles_have_the_defences_of_postgres(pool: PgPool) {
    let named = Named::of(&pool).await;
    migrate_with(&pool, named.roles("of the test")).await;
    for (name, statement_timeout) in [(&named.application, "20s"), (&named.readers, "4s")] {
        let mut connection = PgConnection::connect_with(&of(&pool, name, "of the test")).await.unwrap();
        for (setting, value) in [
            ("statement_timeout", statement_timeout),
            ("client_connection_check_interval", "500ms"),
            ("idle_session_timeout", "10min"),
            ("idle_in_transaction_session_timeout", "15s"),
        ] {
            let set: String = sqlx::query_scalar("select current_setting($1)")
                .bind(setting)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(set, value, "{name}: {setting}");
        }
        connection.close().await.unwrap();
    }
    named.drop(&pool).await;
}

#[sqlx::test(migrations = false)]
async fn a_new_password_is_taken_by_the_next_run_and_shown_nowhere(pool: PgPool) {
    let named = Named::of(&pool).await;
    migrate_with(&pool, named.roles("the first")).await;
    // A server may trust this machine, so what is refused is not tried here.
    let lets_in = async |password: &str| Database::new(of(&pool, &named.readers, password)).is_ready().await;
    assert!(lets_in("the first").await);
    let app = migrate_with(&pool, named.roles("another")).await;
    assert!(lets_in("another").await);
    assert!(!format!("{app:?}").contains("another"));
    named.drop(&pool).await;
}
