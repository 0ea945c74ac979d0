//! The superuser: an account with the admin role, made by a deployer.

use descope_stand_in::{Fault as Trouble, MessageKind, StandIn};
use migrate::{Administrators, App};
use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;

use crate::{app, handle};

const OWNER: &str = "owner@example.com";

fn with_administrators(pool: &PgPool, descope: &StandIn) -> App {
    let database = Database::from(pool.clone());
    let administrators = Administrators {
        descope: testing::sessions(&database, descope, &testing::redis()).descope,
        password_reset_url: "http://localhost:3000/reset".to_owned(),
    };
    App { administrators: Some(administrators), ..app(pool) }
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
    let app = with_administrators(&pool, &descope);
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
async fn a_squatter_on_the_address_loses_access_and_its_owner_gets_the_role(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_administrators(&pool, &descope);
    let client = &app.administrators.as_ref().unwrap().descope;
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
    let app = with_administrators(&pool, &descope);
    let client = &app.administrators.as_ref().unwrap().descope;
    // Possible for anyone at Descope: a code for the login id goes to the user's address.
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
async fn an_interrupted_appointment_is_finished_by_the_next(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_administrators(&pool, &descope);
    let event = json!({ "action": "create_superuser", "email": OWNER });
    descope.spoil("/v1/auth/password/reset", Trouble::status(500).times(2));
    assert!(handle(&app, event.clone()).await.is_err());
    descope.clear_faults();
    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(false, false, true)));
    assert_eq!(handle(&app, event).await, Ok(appointment(false, false, false)));
    assert_eq!(descope.inbox(OWNER).len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_appointment_reports_its_reason(pool: PgPool) {
    let descope = StandIn::start().await;
    let event = |email: &str| json!({ "action": "create_superuser", "email": email });
    let unconfigured = handle(&app(&pool), event(OWNER)).await;
    assert_eq!(unconfigured, Err("set DESCOPE_PROJECT_ID, DESCOPE_MANAGEMENT_KEY and PASSWORD_RESET_URL".to_owned()));
    let app = with_administrators(&pool, &descope);
    assert_eq!(handle(&app, event("owner")).await, Err("email: Enter a valid email address.".to_owned()));
    descope.change(|settings| settings.roles.clear());
    let without_role = handle(&app, event(OWNER)).await.unwrap_err();
    assert!(without_role.contains("does the project have the role \"admin\"?"), "{without_role}");
    let rows: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&pool).await.unwrap();
    assert_eq!((rows, descope.user(OWNER)), (0, None));
}
