//! Registering and signing in with a password.

use descope_stand_in::Fault;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};

use super::{EMAIL, PASSWORD, PHONE, World, failure, registration, session_token, told};

fn john() -> Value {
    json!({
        "id": 1, "username": EMAIL, "email": EMAIL, "first_name": "John", "last_name": "Doe",
        "phone_number": "+1234567890", "profile_picture": null, "is_verified": false,
        "created_at": "<moment>", "updated_at": "<moment>", "is_staff": false, "is_superuser": false
    })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_user_is_signed_in_and_can_sign_in_again(pool: PgPool) {
    let world = World::new(pool).await;
    let body = json!({
        "email": EMAIL, "password": PASSWORD, "first_name": "John", "last_name": "Doe",
        "phone_number": "+1234567890"
    });
    let registered = world.client.post("/api/auth/register/", &body).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let welcome = |message: &str| json!({ "message": message, "user": john(), "session_token": "<token>", "refresh_token": "<token>" });
    assert_eq!(told(&registered), welcome("User registered successfully"));
    assert_eq!(registered.header("cache-control"), "no-store");

    let again = world.login("  User@Example.COM ", PASSWORD).await;
    assert_eq!((again.status, told(&again)), (200, welcome("Login successful")));
    for answer in [registered, again] {
        let token = session_token(&answer);
        for client in [world.bearing(&token), world.client.with("X-Session-Token", &token)] {
            let profile = client.get("/api/auth/profile").await;
            assert_eq!((profile.status, told(&profile)), (200, john()));
            assert_eq!(profile.header("cache-control"), "no-store");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_invalid_registration_field_is_reported_under_its_name(pool: PgPool) {
    let world = World::new(pool).await;
    let empty = world.client.post("/api/auth/register/", &json!({})).await;
    let required = json!(["This field is required."]);
    assert_eq!(
        (failure(&empty), &empty.body["details"]),
        (
            (400, "VALIDATION_ERROR"),
            &json!({ "email": required, "password": required, "first_name": required, "last_name": required })
        )
    );
    let body = json!({
        "email": "john", "password": "short", "first_name": "x".repeat(101), "last_name": "a\u{0}b", "phone_number": "12"
    });
    let wrong = world.client.post("/api/auth/register/", &body).await;
    assert_eq!(
        wrong.body["details"],
        json!({
            "email": ["Enter a valid email address."], "password": ["Ensure this field has at least 8 characters."],
            "first_name": ["Ensure this field has no more than 100 characters."],
            "last_name": ["Null characters are not allowed."], "phone_number": ["Enter a valid phone number."]
        })
    );
    let mut weak = registration(EMAIL);
    weak["password"] = json!("short");
    let weak = world.client.post("/api/auth/register/", &weak).await;
    assert_eq!(
        (failure(&weak), &weak.body["details"]),
        ((400, "VALIDATION_ERROR"), &json!({ "password": ["Ensure this field has at least 8 characters."] }))
    );
    // Rules that the project's policy does not list are reported from Descope's refusal.
    let policy = json!({ "minLength": 1 });
    world.descope.spoil("/v1/auth/password/policy", Fault { body: Some(policy), ..Fault::default() });
    let mut weak = registration(EMAIL);
    weak["password"] = json!("short");
    let refused = world.client.post("/api/auth/register/", &weak).await;
    assert_eq!(refused.body["details"], json!({ "password": ["This password does not meet the requirements."] }));
    weak["password"] = json!("   ");
    let blank = world.client.post("/api/auth/register/", &weak).await;
    assert_eq!(blank.body["details"], json!({ "password": ["This field may not be blank."] }));
    assert_eq!((world.count("users").await, world.descope.user(EMAIL)), (0, None));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_can_be_registered_once(pool: PgPool) {
    let world = World::new(pool).await;
    assert_eq!(world.register(EMAIL).await.status, 201);
    let mut other = registration("USER@example.com");
    for password in [PASSWORD, "another password"] {
        other["password"] = json!(password);
        let second = world.client.post("/api/auth/register/", &other).await;
        assert_eq!(failure(&second), (409, "CONFLICT"));
        assert_eq!(second.body["details"], json!({ "email": ["A user with this email already exists."] }));
    }
    assert_eq!((world.count("users").await, world.count("user_sessions").await), (1, 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_proved_number_cannot_be_registered_again_and_a_claimed_one_can(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, PHONE).await;
    let with_phone = |email: &str, phone: &str| {
        let mut body = registration(email);
        body["phone_number"] = json!(phone);
        body
    };
    let taken = world.client.post("/api/auth/register/", &with_phone(EMAIL, "98765 43210")).await;
    assert_eq!(failure(&taken), (409, "CONFLICT"));
    assert_eq!(taken.body["details"], json!({ "phone_number": ["This phone number is already in use."] }));
    assert_eq!(world.descope.user(EMAIL), None, "nothing was begun");
    for email in ["a@example.com", "b@example.com"] {
        let claimed = world.client.post("/api/auth/register/", &with_phone(email, "9876543211")).await;
        assert_eq!(claimed.status, 201, "{}", claimed.text);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    let mut answers = Vec::new();
    for (email, password) in [(EMAIL, "wrong password"), ("nobody@example.com", PASSWORD), (EMAIL, "x")] {
        let calls = world.descope.all_calls().len();
        let answer = world.login(email, password).await;
        assert_eq!(failure(&answer), (401, "INVALID_CREDENTIALS"));
        assert_eq!(world.descope.all_calls()[calls..], ["POST /v1/auth/password/signin"], "the same work");
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_registration_that_failed_after_descope_is_finished_by_the_next(pool: PgPool) {
    let world = World::new(pool).await;
    // The database fails after Descope has made the user.
    sqlx::raw_sql("alter table users rename to users_away").execute(&world.pool).await.unwrap();
    assert_eq!(world.register(EMAIL).await.status, 500);
    sqlx::raw_sql("alter table users_away rename to users").execute(&world.pool).await.unwrap();
    assert!(world.descope.user(EMAIL).is_some());

    let mut another = registration(EMAIL);
    another["password"] = json!("not the same password");
    assert_eq!(failure(&world.client.post("/api/auth/register/", &another).await), (409, "CONFLICT"));
    let finished = world.register(EMAIL).await;
    assert_eq!((finished.status, &finished.body["user"]["first_name"]), (201, &json!("John")));
    assert_eq!(world.signed_in(&finished).get("/api/auth/profile/").await.status, 200);
    assert_eq!(failure(&world.register(EMAIL).await), (409, "CONFLICT"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn signing_in_finishes_an_interrupted_registration(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::raw_sql("alter table users rename to users_away").execute(&world.pool).await.unwrap();
    assert_eq!(world.register(EMAIL).await.status, 500);
    sqlx::raw_sql("alter table users_away rename to users").execute(&world.pool).await.unwrap();
    let answer = world.login(EMAIL, PASSWORD).await;
    assert_eq!((answer.status, &answer.body["user"]["email"]), (200, &json!(EMAIL)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_registration_whose_answer_from_descope_was_lost_is_finished_by_the_next(pool: PgPool) {
    let world = World::new(pool).await;
    // Descope made the user, and its answer was lost.
    let body = json!({ "loginId": EMAIL, "password": PASSWORD, "user": { "email": EMAIL } });
    let lost = world.descope.url() + "/v1/auth/password/signup";
    let bearer = format!("Bearer {}", descope_stand_in::PROJECT_ID);
    let made = super::tokens::http_post(&lost, &bearer, &body).await;
    assert_eq!(made, 200);
    assert_eq!(world.register(EMAIL).await.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_that_was_sent_a_code_can_still_be_registered(pool: PgPool) {
    let world = World::new(pool).await;
    let asked = world.client.post("/api/auth/otp/request/", &json!({ "identifier": EMAIL })).await;
    assert_eq!(asked.status, 200);
    let registered = world.register(EMAIL).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_registrations_of_one_address_succeed_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    for passwords in [[PASSWORD; 8], std::array::from_fn(|index| ["first password", "second password"][index % 2])] {
        let email = format!("{}@example.com", passwords[1].replace(' ', "-"));
        let environments = world.environments(&options, 8);
        let attempts = environments.iter().zip(passwords).map(async |(client, password)| {
            let mut body = registration(&email);
            body["password"] = json!(password);
            client.post("/api/auth/register/", &body).await
        });
        let answers = join_all(attempts).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        let winner = answers.iter().find(|answer| answer.status == 201).unwrap();
        assert_eq!(world.signed_in(winner).get("/api/auth/profile/").await.status, 200);
    }
    assert_eq!((world.count("users").await, world.count("user_identities").await), (2, 2));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_of_an_account_needs_a_session(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    for (method, path) in [
        ("GET", "profile"),
        ("PATCH", "profile"),
        ("GET", "phone/verification-status"),
        ("GET", "sessions"),
        ("POST", "sessions/1/revoke"),
        ("POST", "logout"),
        ("POST", "phone/resend-otp"),
    ] {
        let path = format!("/api/auth/{path}/");
        let body = (method != "GET").then_some("{}");
        let answer = world.client.with("Content-Type", "application/json").send(method, &path, body).await;
        assert_eq!(failure(&answer), (401, "NOT_AUTHENTICATED"), "{method} {path}");
    }
    let fault = Fault::status(500).times(100);
    world.descope.spoil("/v1/auth/password/signin", fault);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 502);
}
