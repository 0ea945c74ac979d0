//! The people of the shop: appointed by a deployer, and their sessions ended.

use descope_stand_in::{Fault as Trouble, MessageKind, StandIn};
use migrate::{App, Personnel};
use serde_json::{Value, json};
use shared::{
    Error,
    database::{Database, MIGRATOR},
    http::Device,
};
use sqlx::PgPool;

use crate::{app, handle};

const OWNER: &str = "owner@example.com";

fn with_personnel(pool: &PgPool, descope: &StandIn) -> App {
    let database = Database::from(pool.clone());
    let personnel = Personnel {
        descope: testing::sessions(&database, descope, &testing::redis()).descope,
        password_reset_url: Some("http://localhost:3000/reset".to_owned()),
    };
    App { personnel: Some(personnel), ..app(pool) }
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
    let app = with_personnel(&pool, &descope);
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
    let app = with_personnel(&pool, &descope);
    let client = &app.personnel.as_ref().unwrap().descope;
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
    let app = with_personnel(&pool, &descope);
    let client = &app.personnel.as_ref().unwrap().descope;
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
    let app = with_personnel(&pool, &descope);
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
    assert_eq!(unconfigured, Err("set DESCOPE_PROJECT_ID and DESCOPE_MANAGEMENT_KEY".to_owned()));
    let app = with_personnel(&pool, &descope);
    assert_eq!(handle(&app, event("owner")).await, Err("email: Enter a valid email address.".to_owned()));
    descope.change(|settings| settings.roles.clear());
    let without_role = handle(&app, event(OWNER)).await.unwrap_err();
    assert!(without_role.contains("does the project have the roles \"staff\" and \"admin\"?"), "{without_role}");
    let rows: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&pool).await.unwrap();
    assert_eq!((rows, descope.user(OWNER)), (0, None));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_mail_links_to_the_page_of_the_event_else_to_the_configured_one(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_personnel(&pool, &descope);
    let panel = "https://abc123.execute-api.ap-south-1.amazonaws.com/admin/password/";
    for (action, email, page, linked) in [
        ("create_superuser", OWNER, json!(null), "http://localhost:3000/reset"),
        ("create_superuser", "second@example.com", json!(panel), panel),
        ("appoint_staff", "mechanic@example.com", json!(panel), panel),
    ] {
        let event = json!({ "action": action, "email": email, "password_reset_url": page });
        assert_eq!(handle(&app, event).await.unwrap()["mail_sent"], true);
        let link = descope.inbox(email)[0].link.clone().unwrap();
        assert!(link.starts_with(&format!("{linked}?t=")), "{link}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn appointing_without_a_page_is_refused_and_the_error_names_what_to_add(pool: PgPool) {
    let descope = StandIn::start().await;
    let mut app = with_personnel(&pool, &descope);
    app.personnel.as_mut().unwrap().password_reset_url = None;
    for action in ["create_superuser", "appoint_staff"] {
        let refused = handle(&app, json!({ "action": action, "email": OWNER })).await.unwrap_err();
        let example = r#""password_reset_url": "https://abc123.execute-api.ap-south-1.amazonaws.com/admin/password/""#;
        assert!(refused.contains("PASSWORD_RESET_URL") && refused.contains(example), "{refused}");
        // The last one is what becomes of `https://` before the stack's output, which begins with it too.
        for page in
            ["", "/admin/password/", "javascript:alert(1)", "https://", "https://https://api.example/admin/password/"]
        {
            let event = json!({ "action": action, "email": OWNER, "password_reset_url": page });
            let refused = handle(&app, event).await.unwrap_err();
            assert!(refused.starts_with("password_reset_url: "), "{page}: {refused}");
        }
    }
    let rows: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&pool).await.unwrap();
    assert_eq!((rows, descope.user(OWNER)), (0, None));
    let page = json!("https://api.example.com/admin/password/");
    let event = json!({ "action": "create_superuser", "email": OWNER, "password_reset_url": page });
    assert_eq!(handle(&app, event).await, Ok(appointment(true, true, true)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_given_in_the_console_to_an_unproved_account_is_taken_over(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_personnel(&pool, &descope);
    let client = &app.personnel.as_ref().unwrap().descope;
    let email = OWNER.parse().unwrap();
    let password = "password of Mallory".to_owned().into();
    let mallory = client.sign_up(&email, &password, ("", "")).await.unwrap().unwrap();
    descope.set_roles(OWNER, &["staff"]);
    let event = json!({ "action": "appoint_staff", "email": OWNER });
    let appointed = |role_added, mail_sent| {
        json!({
            "action": "appoint_staff", "user_id": 1, "user_created": false, "role_added": role_added,
            "mail_sent": mail_sent
        })
    };
    assert_eq!(handle(&app, event.clone()).await, Ok(appointed(true, true)));
    assert!(client.sign_in(OWNER, &password).await.is_err());
    assert!(client.refresh(&mallory.refresh_jwt).await.is_err());
    assert_eq!(handle(&app, event).await, Ok(appointed(false, false)));
    assert_eq!(descope.inbox(OWNER).len(), 1);

    // Another role is added to the first.
    let event = json!({ "action": "create_superuser", "email": OWNER });
    assert_eq!(handle(&app, event).await, Ok(appointment(false, true, true)));
    assert_eq!(descope.user(OWNER).unwrap()["roleNames"], json!(["admin", "staff"]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_dismissed_user_has_no_role_at_the_next_request_even_with_an_older_token(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_personnel(&pool, &descope);
    let sessions = testing::sessions(&app.database, &descope, &app.redis);
    let event = json!({ "action": "create_superuser", "email": OWNER });
    assert_eq!(handle(&app, event.clone()).await, Ok(appointment(true, true, true)));
    let device = Device { user_agent: String::new(), ip_address: String::new() };
    let token = sessions.descope.sign_in_as(OWNER).await.unwrap();
    let user = sessions.identify(&token.session_jwt, &device).await.unwrap().user;
    assert!(user.is_superuser());

    let dismiss = json!({ "action": "dismiss_staff", "identifier": OWNER });
    let dismissed = |removed| Ok(json!({ "action": "dismiss_staff", "user_id": 1, "role_removed": removed }));
    assert_eq!(handle(&app, dismiss.clone()).await, dismissed(true));
    assert_eq!(descope.user(OWNER).unwrap()["roleNames"], json!([]));
    let user = sessions.identify(&token.session_jwt, &device).await.unwrap().user;
    assert_eq!((user.is_staff(), user.roles), (false, vec![]), "the session goes on");
    assert_eq!(handle(&app, dismiss).await, dismissed(false));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn ended_sessions_are_over_here_and_at_descope(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_personnel(&pool, &descope);
    let sessions = testing::sessions(&app.database, &descope, &app.redis);
    let email = OWNER.parse().unwrap();
    let password = "password of the owner".to_owned().into();
    let signed_in = sessions.descope.sign_up(&email, &password, ("", "")).await.unwrap().unwrap();
    let device = Device { user_agent: String::new(), ip_address: String::new() };
    assert!(sessions.identify(&signed_in.session_jwt, &device).await.is_ok());

    let event = json!({ "action": "end_sessions", "identifier": " Owner@Example.com " });
    let ended = Ok(json!({ "action": "end_sessions", "user_id": 1 }));
    assert_eq!(handle(&app, event.clone()).await, ended);
    let refused = sessions.identify(&signed_in.session_jwt, &device).await;
    assert!(matches!(refused, Err(Error::SessionRevoked)), "{refused:?}");
    assert!(sessions.descope.refresh(&signed_in.refresh_jwt).await.is_err());
    assert_eq!(handle(&app, event).await, ended, "a repetition is safe");

    let event = |identifier: &str| json!({ "action": "end_sessions", "identifier": identifier });
    let unknown = handle(&app, event("nobody@example.com")).await;
    assert_eq!(unknown, Err("Descope has no user with this address or number".to_owned()));
    let invalid = handle(&app, event("owner")).await;
    assert_eq!(invalid, Err("identifier: Enter a valid phone number or email address.".to_owned()));
}
