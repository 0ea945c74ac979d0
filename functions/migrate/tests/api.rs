//! What a deployer sends to the database, and what it says to that.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use descope::{Fault as Trouble, MessageKind, StandIn};
use migrate::{Accounts, App, Event, Outcome};
use serde_json::{Value, json};
use shared::{
    catalogue::Files,
    database::{Database, MIGRATOR},
    staff::sha256,
    testing::{self, Fault, Network},
};
use sqlx::PgPool;

fn app(pool: &PgPool) -> App {
    App { database: Database::from(pool.clone()), redis: testing::redis(), accounts: None }
}

async fn handle(app: &App, event: Value) -> Result<Value, String> {
    let event: Event = serde_json::from_value(event).map_err(|error| error.to_string())?;
    let outcome: Result<Outcome, migrate::Error> = app.handle(event).await;
    outcome.map(|outcome| json!(outcome)).map_err(|error| error.to_string())
}

async fn import(app: &App, files: &Files) -> Result<Value, String> {
    handle(app, json!({ "action": "import_catalogue", "files": files })).await
}

fn rows(added: u64, changed: u64, left_alone: u64, removed: u64) -> Value {
    json!({ "added": added, "changed": changed, "left_alone": left_alone, "removed": removed })
}

fn with(name: &str, change: impl FnOnce(&str) -> String) -> Files {
    let mut files = testing::catalogue_files();
    let changed = change(&files[name]);
    assert_ne!(changed, files[name]);
    files.insert(name.to_owned(), changed);
    files
}

#[sqlx::test(migrations = false)]
async fn an_empty_database_is_migrated_once(pool: PgPool) {
    let app = app(&pool);
    let versions: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let migrate = json!({ "action": "migrate" });
    assert_eq!(
        handle(&app, migrate.clone()).await,
        Ok(json!({ "action": "migrate", "applied": versions, "added": versions }))
    );
    assert_eq!(handle(&app, migrate).await, Ok(json!({ "action": "migrate", "applied": versions, "added": [] })));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_tells_what_it_did_and_does_it_once(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    assert_eq!(
        import(&app, &files).await,
        Ok(json!({
            "action": "import_catalogue", "version": 2, "vehicle_types": rows(2, 0, 0, 0),
            "vehicle_brands": rows(40, 0, 0, 0), "vehicle_models": rows(220, 0, 0, 0),
            "service_categories": rows(10, 0, 0, 0), "services": rows(49, 0, 0, 0),
            "service_prices": rows(7279, 0, 0, 0), "shop": rows(7, 0, 0, 0)
        }))
    );
    assert_eq!(
        import(&app, &files).await,
        Ok(json!({
            "action": "import_catalogue", "version": 2, "vehicle_types": rows(0, 0, 2, 0),
            "vehicle_brands": rows(0, 0, 40, 0), "vehicle_models": rows(0, 0, 220, 0),
            "service_categories": rows(0, 0, 10, 0), "services": rows(0, 0, 49, 0),
            "service_prices": rows(0, 0, 7279, 0), "shop": rows(0, 0, 7, 0)
        }))
    );
    let ids: (i64, i64) =
        sqlx::query_as("select max(id), count(*) from vehicle_models").fetch_one(&pool).await.unwrap();
    assert_eq!(ids, (220, 220), "the ids are those of the files");
    let next: i64 = sqlx::query_scalar("insert into vehicle_types (name, slug) values ('Moped', 'moped') returning id")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(next, 3, "ids that the database gives follow them");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn changed_and_missing_rows_are_counted_and_history_stays(pool: PgPool) {
    let app = app(&pool);
    import(&app, &testing::catalogue_files()).await.unwrap();
    let cheaper = with("service_pricing.csv", |text| text.replace("\n1,1,559.00\n1,2,559.00\n", "\n1,1,1.15\n"));
    assert_eq!(import(&app, &cheaper).await.unwrap()["service_prices"], rows(0, 1, 7277, 1));
    let price: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 1 and vehicle_model_id = 1")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(price, 115);

    // Two services change names, one is no longer sold.
    let mut files = with("services.csv", |text| {
        let without_last: Vec<&str> = text.lines().filter(|line| !line.starts_with("49,")).collect();
        let swapped = without_last.join("\n").replace("Air Filter Replacement", "?");
        swapped.replace("Spark Plug Replacement", "Air Filter Replacement").replace('?', "Spark Plug Replacement")
            + "\n"
    });
    let prices = files["service_pricing.csv"].lines().filter(|line| !line.starts_with("49,"));
    let prices = prices.collect::<Vec<_>>().join("\n");
    files.insert("service_pricing.csv".to_owned(), prices);
    let report = import(&app, &files).await.unwrap();
    assert_eq!(report["services"], rows(0, 2, 46, 1));
    let archived: Vec<i64> =
        sqlx::query_scalar("select id from services where archived_at is not null").fetch_all(&pool).await.unwrap();
    assert_eq!(archived, [49]);
    assert_eq!(import(&app, &testing::catalogue_files()).await.unwrap()["services"], rows(0, 3, 46, 0));

    let shorter_week = with("shop_info.json", |text| text.replace("\"open\": \"10:00\"", "\"open\": \"11:00\""));
    assert_eq!(import(&app, &shorter_week).await.unwrap()["shop"], rows(0, 1, 6, 0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bad_values_are_named_with_file_line_and_column_and_nothing_is_changed(pool: PgPool) {
    let app = app(&pool);
    import(&app, &testing::catalogue_files()).await.unwrap();
    let mut files = with("service_pricing.csv", |text| {
        text.replacen("1,2,559.00", "1,2,12.345", 1).replacen("1,3,599.00", "1,999,599.00", 1) + "1,1,5.00\n1,2\n"
    });
    files.insert("vehicle_types.csv".to_owned(), "id,name,slug\n1,,scooter\n0,Motorcycle,motorcycle\n".to_owned());
    let shop = files["shop_info.json"].replacen("\"09:00\"", "\"21:00\"", 1);
    files.insert("shop_info.json".to_owned(), shop);
    let prices = testing::catalogue_files()["service_pricing.csv"].lines().count();
    assert_eq!(
        import(&app, &files).await,
        Err(format!(
            "nothing was changed; 7 faults:\n\
            vehicle_types.csv line 2 column 2 (name): a value is needed\n\
            vehicle_types.csv line 3 column 1 (id): a whole number from 1 is needed\n\
            service_pricing.csv line 3 column 3 (price): an amount above 0 in rupees with at most two places is needed\n\
            service_pricing.csv line {} column 1: 3 fields are needed, 2 are there\n\
            shop_info.json line 20 column 5: a day must open before it closes\n\
            service_pricing.csv line {} column 2 (vehicle_model_id): the same stands in line 2\n\
            service_pricing.csv line 4 column 2 (vehicle_model_id): there is no row with the id 999",
            prices + 2,
            prices + 1
        ))
    );
    let version: i64 = sqlx::query_scalar("select version from catalogue_versions").fetch_one(&pool).await.unwrap();
    assert_eq!(version, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_no_catalogue_is_told_in_a_sentence(pool: PgPool) {
    let app = app(&pool);
    let fault = |name: &str, change: fn(&str) -> String| import_error(&app, with(name, change));
    for (told, expected) in [
        (
            fault("vehicle_models.csv", |_| String::new()).await,
            "vehicle_models.csv line 1 column 1: the first line must be id,vehicle_brand_id,name,engine_cc,fuel",
        ),
        (
            fault("vehicle_models.csv", |text| text.replace("petrol\n", "diesel\n")).await,
            "vehicle_models.csv line 2 column 5 (fuel): \"diesel\" is none of petrol, electric",
        ),
        (
            fault("services.csv", |text| text.replacen(",90\n", ",-90\n", 1)).await,
            "services.csv line 2 column 5 (duration_minutes): a whole number from 1 is needed",
        ),
        (
            fault("services.csv", |text| text.replacen("2,1,Full Periodic Service", "2,1,Basic Periodic Service", 1))
                .await,
            "services.csv line 3 column 3 (name): the same stands in line 2",
        ),
        (
            fault("shop_info.json", |text| text.replace("\"slot_minutes\": 60", "\"slot_minutes\": \"sixty\"")).await,
            "shop_info.json line 43 column 25: invalid type: string \"sixty\", expected i32",
        ),
        (fault("shop_info.json", |_| "[".to_owned()).await, "shop_info.json line 1 column 1"),
        (
            fault("shop_info.json", |text| text.replace("Asia/Kolkata", "Asia/Atlantis")).await,
            "nothing was changed: shop_info.json: \"Asia/Atlantis\" is no time zone that Postgres knows",
        ),
        (import_error(&app, Files::new()).await, "vehicle_types.csv line 1 column 1: the file is missing"),
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(handle(&app, json!({ "action": "drop_everything" })).await.unwrap_err().contains("unknown variant"));
    assert!(handle(&app, json!({})).await.unwrap_err().contains("missing field `action`"));
    let types: i64 = sqlx::query_scalar("select count(*) from vehicle_types").fetch_one(&pool).await.unwrap();
    assert_eq!(types, 0);
}

async fn import_error(app: &App, files: Files) -> String {
    import(app, &files).await.unwrap_err()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_imports_at_once_are_one_after_the_other(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    let reports = futures::future::join_all((0..4).map(|_| import(&app, &files))).await;
    let added: Vec<u64> =
        reports.iter().map(|report| report.as_ref().unwrap()["services"]["added"].as_u64().unwrap()).collect();
    assert_eq!(added.iter().sum::<u64>(), 49);
    assert!(reports.iter().all(|report| report.as_ref().unwrap()["version"] == 2));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_waits_for_redis_because_old_prices_could_come_back_with_it(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let app = App { redis: testing::redis_at(&url, &testing::random_prefix()), ..app(&pool) };
    import(&app, &testing::catalogue_files()).await.unwrap();
    network.set(Fault::Stopped);
    let cheaper = with("service_pricing.csv", |text| text.replacen("1,1,559.00", "1,1,1.15", 1));
    assert_eq!(
        import(&app, &cheaper).await,
        Err("nothing was changed: Redis did not take the announcement, and old prices could have stayed in the cache"
            .to_owned())
    );
    let price: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 1 and vehicle_model_id = 1")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(price, 55_900);
    assert!(import(&app, &testing::catalogue_files()).await.is_ok(), "an import that changes nothing needs no Redis");
}

const OWNER: &str = "owner@example.com";

fn with_accounts(pool: &PgPool, descope: &StandIn) -> App {
    let database = Database::from(pool.clone());
    let accounts = Accounts {
        descope: testing::sessions(&database, descope, &testing::redis()).descope,
        password_reset_url: "http://localhost:3000/reset".to_owned(),
    };
    App { accounts: Some(accounts), ..app(pool) }
}

fn appointment(user_created: bool, role_added: bool, mail_sent: bool) -> Value {
    json!({
        "action": "create_superuser", "user_id": 1, "user_created": user_created, "role_added": role_added,
        "mail_sent": mail_sent
    })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_superuser_is_made_once_and_gets_one_mail(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_accounts(&pool, &descope);
    let event = json!({ "action": "create_superuser", "email": "Owner@Example.com" });
    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(true, true, true)));
    assert_eq!(descope.user(OWNER).unwrap()["roleNames"], json!(["admin"]));
    let mails = descope.inbox(OWNER);
    assert_eq!((mails.len(), mails[0].kind), (1, MessageKind::Reset));
    let rows: Vec<(String, bool, bool)> = sqlx::query_as(
        "select email, is_email_verified, is_proven from users join user_identities on user_identities.user_id = users.id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(rows, [(OWNER.to_owned(), true, true)]);

    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(false, false, false)));
    assert_eq!(descope.inbox(OWNER).len(), 1);
    let many = futures::future::join_all((0..4).map(|_| handle(&app, event.clone()))).await;
    assert_eq!(many, [(); 4].map(|()| Ok(appointment(false, false, false))));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whoever_registered_with_the_address_before_is_shut_out_and_its_owner_gets_the_role(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_accounts(&pool, &descope);
    let client = &app.accounts.as_ref().unwrap().descope;
    let email = OWNER.parse().unwrap();
    let password = "password of who knows".to_owned().into();
    let squatter = client.sign_up(&email, &password, ("Who", "Knows")).await.unwrap().unwrap();
    let event = json!({ "action": "create_superuser", "email": OWNER });
    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(false, true, true)));
    assert!(client.sign_in(OWNER, &password).await.is_err());
    assert!(client.refresh(&squatter.refresh_jwt).await.is_err());
    assert_eq!(descope.user(OWNER).unwrap()["roleNames"], json!(["admin"]));
    assert_eq!(descope.inbox(OWNER)[0].kind, MessageKind::Reset);
    assert_eq!(handle(&app, event).await, Ok(appointment(false, false, false)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_account_made_at_descope_with_the_address_as_login_id_gets_no_role(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_accounts(&pool, &descope);
    let client = &app.accounts.as_ref().unwrap().descope;
    // Anybody can do this: the code for the login id goes to the address.
    let mallory = "mallory@evil.example";
    let email = OWNER.parse().unwrap();
    let password = "password of Mallory".to_owned().into();
    client.sign_up(&email, &password, ("", "")).await.unwrap();
    client.patch_user(OWNER, &json!({ "email": mallory, "verifiedEmail": true })).await.unwrap();
    let event = json!({ "action": "create_superuser", "email": OWNER });
    assert_eq!(handle(&app, event).await, Ok(appointment(false, true, true)));
    assert!(client.sign_in(OWNER, &password).await.is_err());
    assert_eq!((descope.inbox(mallory).len(), descope.inbox(OWNER).len()), (0, 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_appointment_that_was_cut_short_goes_on(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_accounts(&pool, &descope);
    let event = json!({ "action": "create_superuser", "email": OWNER });
    descope.spoil("/v1/auth/password/reset", Trouble::status(500).times(2));
    assert!(handle(&app, event.clone()).await.is_err());
    descope.clear_faults();
    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(false, false, true)));
    assert_eq!(handle(&app, event).await, Ok(appointment(false, false, false)));
    assert_eq!(descope.inbox(OWNER).len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn why_nobody_was_appointed_is_told(pool: PgPool) {
    let descope = StandIn::start().await;
    let event = |email: &str| json!({ "action": "create_superuser", "email": email });
    let unconfigured = handle(&app(&pool), event(OWNER)).await;
    assert_eq!(unconfigured, Err("set DESCOPE_PROJECT_ID, DESCOPE_MANAGEMENT_KEY and PASSWORD_RESET_URL".to_owned()));
    let app = with_accounts(&pool, &descope);
    assert_eq!(handle(&app, event("owner")).await, Err("email: Enter a valid email address.".to_owned()));
    descope.change(|settings| settings.roles.clear());
    let without_role = handle(&app, event(OWNER)).await.unwrap_err();
    assert!(without_role.contains("does the project have the role \"admin\"?"), "{without_role}");
    let rows: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&pool).await.unwrap();
    assert_eq!((rows, descope.user(OWNER)), (0, None));
}

fn add_key(label: &str) -> Value {
    json!({ "action": "add_staff_key", "label": label })
}

/// What is kept: the label and the hash of each key that is valid.
async fn valid_keys(pool: &PgPool) -> Vec<(String, Vec<u8>)> {
    sqlx::query_as("select label, key_sha256 from staff_keys where revoked_at is null order by id")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_is_told_once_and_only_its_hash_is_kept(pool: PgPool) {
    let app = app(&pool);
    let added = handle(&app, add_key("Front desk")).await.unwrap();
    let key = added["key"].as_str().unwrap();
    assert_eq!(added, json!({ "action": "add_staff_key", "label": "Front desk", "key": key }));
    assert!(key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let other = handle(&app, add_key("import")).await.unwrap()["key"].as_str().unwrap().to_owned();
    assert_ne!(key, other);
    assert_eq!(
        valid_keys(&pool).await,
        [("Front desk".to_owned(), sha256(key).to_vec()), ("import".to_owned(), sha256(&other).to_vec())]
    );
    let listed = handle(&app, json!({ "action": "list_staff_keys" })).await.unwrap();
    let row = |label: &str| json!({ "label": label, "created_at": "<moment>", "revoked_at": null });
    let mut keys = listed["keys"].clone();
    for key in keys.as_array_mut().unwrap() {
        assert!(key["created_at"].as_str().unwrap().ends_with("+00:00"));
        key["created_at"] = json!("<moment>");
    }
    assert_eq!((&listed["action"], keys), (&json!("list_staff_keys"), json!([row("Front desk"), row("import")])));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_that_was_made_elsewhere_comes_as_its_hash(pool: PgPool) {
    let app = app(&pool);
    let hash = sha256("abc").iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    let event = |label: &str, hash: &str| json!({ "action": "add_staff_key", "label": label, "key_sha256": hash });
    let added = handle(&app, event("desk", &hash)).await;
    assert_eq!(added, Ok(json!({ "action": "add_staff_key", "label": "desk" })));
    assert_eq!(valid_keys(&pool).await, [("desk".to_owned(), sha256("abc").to_vec())]);
    assert_eq!(handle(&app, event("other", &hash)).await, Err("this key has been added before".to_owned()));
    for wrong in ["", "abc", &hash[1..], &hash.replace('A', "x")] {
        assert_eq!(
            handle(&app, event("other", wrong)).await,
            Err("key_sha256: write the SHA-256 of the key as 64 hexadecimal digits".to_owned())
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_is_revoked_for_good_and_its_label_is_free_again(pool: PgPool) {
    let app = app(&pool);
    let revoke = |label: &str| json!({ "action": "revoke_staff_key", "label": label });
    assert_eq!(handle(&app, revoke("desk")).await, Err("no key has this label".to_owned()));
    handle(&app, add_key("desk")).await.unwrap();
    let in_use = "a key with this label is in use: choose another label, or revoke that key first";
    assert_eq!(handle(&app, add_key("desk")).await, Err(in_use.to_owned()));
    let first = handle(&app, revoke("desk")).await.unwrap();
    let moment = &first["revoked_at"];
    assert_eq!(first, json!({ "action": "revoke_staff_key", "label": "desk", "revoked_at": moment }));
    assert_eq!(handle(&app, revoke("desk")).await, Ok(first.clone()), "twice is as once");
    assert_eq!(valid_keys(&pool).await, []);
    handle(&app, add_key("desk")).await.unwrap();
    assert_eq!(valid_keys(&pool).await.len(), 1);
    let listed = handle(&app, json!({ "action": "list_staff_keys" })).await.unwrap();
    assert_eq!((&listed["keys"][0]["revoked_at"], &listed["keys"][1]["revoked_at"]), (moment, &Value::Null));
    let second = handle(&app, revoke("desk")).await.unwrap();
    assert_ne!(&second["revoked_at"], moment);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn labels_of_staff_keys_are_plain(pool: PgPool) {
    let app = app(&pool);
    let long = "x".repeat(51);
    for label in ["", " ", "a:b", "a,b", "é", "desk ", "user-1", &long] {
        let refused = handle(&app, add_key(label)).await.unwrap_err();
        assert!(refused.starts_with("label: write 1 to 50 letters"), "{label}: {refused}");
    }
    let of_50 = "x".repeat(50);
    for label in ["a", "Front desk 2", "import_v1.2-b", &of_50] {
        assert!(handle(&app, add_key(label)).await.is_ok(), "{label}");
    }
    let together = futures::future::join_all((0..4).map(|_| handle(&app, add_key("one")))).await;
    assert_eq!(together.iter().filter(|added| added.is_ok()).count(), 1);
}
