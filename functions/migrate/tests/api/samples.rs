//! Each migration runs on top of rows that the release before it could have written: a statement that fails on rows, or
//! loses some, passes on empty tables.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use shared::database::MIGRATOR;
use sqlx::{
    PgPool,
    migrate::{Migration, Migrator},
};

/// The statements of a migration without comments, each on one line, in lower case.
fn statements(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
    let mut statements = Vec::new();
    let mut is_in_body = false;
    let mut statement = String::new();
    // A semicolon in the body of a function ends no statement.
    for part in code.join(" ").split_inclusive("$$").flat_map(|part| part.split_inclusive(';')) {
        statement.push_str(part);
        if part.ends_with("$$") {
            is_in_body = !is_in_body;
        }
        if part.ends_with(';') && !is_in_body {
            let words: Vec<&str> = statement.split_whitespace().collect();
            statements.push(words.join(" ").to_lowercase());
            statement.clear();
        }
    }
    statements.push(statement.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    statements
}

/// The tables that a migration makes.
fn tables(migration: &Migration) -> BTreeSet<String> {
    let statements = statements(&migration.sql);
    let made = statements.iter().filter_map(|statement| statement.strip_prefix("create table "));
    made.map(|rest| rest.trim_start_matches("if not exists ").split([' ', '(']).next().unwrap().to_owned()).collect()
}

/// The rows of `tests/samples/`, by the version of the migration after which they are inserted.
fn samples() -> BTreeMap<i64, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().parse().unwrap(), fs::read_to_string(file).unwrap()))
        .collect()
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(&format!("select count(*) from {table}")).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn every_migration_runs_on_top_of_rows_of_the_schema_before(pool: PgPool) {
    let samples = samples();
    let versions: BTreeSet<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    assert!(samples.keys().all(|version| versions.contains(version)), "a file of samples belongs to no migration");
    for migration in MIGRATOR.iter() {
        let version = migration.version;
        let this =
            Migrator { migrations: Cow::Owned(vec![migration.clone()]), ignore_missing: true, ..Migrator::DEFAULT };
        this.run(&pool).await.unwrap_or_else(|error| panic!("on top of the samples: {error}"));
        if let Some(rows) = samples.get(&version) {
            let inserted = sqlx::raw_sql(rows).execute(&pool).await;
            inserted.unwrap_or_else(|error| panic!("tests/samples/{version}.sql: {error}"));
        }
        for table in tables(migration) {
            assert!(count(&pool, &table).await > 0, "tests/samples/{version}.sql has no row for the new table {table}");
        }
    }
    assert_eq!(count(&pool, "bookings").await, 3);
}

/// Released migrations are never edited.
const LAST_WITHOUT_RULE: i64 = 20_261_128_120_000;

/// What a migration does to an index of a table that has rows, as it should not.
fn faults(migration: &Migration) -> Vec<String> {
    let statements = statements(&migration.sql);
    let new = tables(migration);
    let is_alone = statements.iter().filter(|statement| !statement.is_empty()).count() == 1;
    let mut faults = Vec::new();
    for statement in &statements {
        let Some(rest) = statement.strip_prefix("create ").map(|rest| rest.trim_start_matches("unique ")) else {
            continue;
        };
        let Some(index) = rest.strip_prefix("index ") else { continue };
        let table = index.split(" on ").nth(1).unwrap().trim_start_matches("only ").split([' ', '(']).next().unwrap();
        let is_concurrent = index.starts_with("concurrently ");
        if !new.contains(table) && !is_concurrent {
            faults.push(format!("makes an index of {table} that locks it: use create index concurrently"));
        }
        if is_concurrent && (!migration.no_tx || !is_alone) {
            faults.push("needs `-- no-transaction` as its first line and no other statement".to_owned());
        }
    }
    faults
}

#[test]
fn an_index_of_a_table_with_rows_is_made_concurrently() {
    let mut all = Vec::new();
    for migration in MIGRATOR.iter().filter(|migration| migration.version > LAST_WITHOUT_RULE) {
        all.extend(faults(migration).into_iter().map(|fault| format!("{} {fault}", migration.version)));
    }
    assert_eq!(all, Vec::<String>::new());
}

#[test]
fn the_rule_about_indexes_finds_what_breaks_it() {
    let written = |sql: &'static str| {
        let no_tx = sql.starts_with("-- no-transaction");
        Migration::new(1, "test".into(), sqlx::migrate::MigrationType::Simple, sql.into(), no_tx)
    };
    for (sql, count) in [
        ("create index i on bookings (id);", 1),
        ("create unique index i\non bookings (id);", 1),
        ("create table t (id bigint); create index i on t (id);", 0),
        ("-- create index i on bookings (id);\nselect 1;", 0),
        ("create function f() returns void as $$ begin; create index i on bookings (id); end $$;", 0),
        ("-- no-transaction\ncreate index concurrently i on bookings (id);", 0),
        ("create index concurrently i on bookings (id);", 1),
        ("-- no-transaction\ncreate index concurrently i on bookings (id); select 1;", 1),
    ] {
        assert_eq!(faults(&written(sql)).len(), count, "{sql}");
    }
}
