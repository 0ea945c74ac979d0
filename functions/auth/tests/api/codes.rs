//! One-time codes: what they prove, which account they open, and which sessions they end.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};

use super::{EMAIL, PASSWORD, PHONE, World, failure, registration, session_token, told};

async fn request(world: &World, phone: &str) {
    let sent = world.client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": phone })).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
}

fn proof(phone: &str, code: &str) -> Value {
    json!({ "phone_number": phone, "otp_code": code })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_by_phone_creates_an_account_and_later_opens_the_same_one(pool: PgPool) {
    let world = World::new(pool).await;
    let asked = world.client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": "98765 43210" })).await;
    assert_eq!(
        (asked.status, asked.body),
        (200, json!({ "message": "OTP sent successfully", "phone_number": PHONE, "expires_in": 180 }))
    );
    let code = world.code(PHONE);
    let first = world.client.post("/api/auth/phone/verify-otp/", &proof("9876543210", &code)).await;
    let user = json!({
        "id": 1, "username": "user_1", "email": null, "first_name": "", "last_name": "", "phone_number": PHONE,
        "profile_picture": null, "is_verified": true, "created_at": "<moment>", "updated_at": "<moment>",
        "is_staff": false, "is_superuser": false
    });
    let welcome = |message: &str| json!({ "message": message, "user": user, "session_token": "<token>", "refresh_token": "<token>" });
    assert_eq!((first.status, told(&first)), (200, welcome("OTP verified successfully")));
    let status = world.signed_in(&first).get("/api/auth/phone/verification-status/").await;
    assert_eq!((status.status, status.body), (200, json!({ "is_phone_verified": true, "phone_number": PHONE })));

    request(&world, PHONE).await;
    let again = world.client.post("/api/auth/phone/login/", &proof(PHONE, &world.code(PHONE))).await;
    assert_eq!((again.status, told(&again)), (200, welcome("Login successful")));
    assert_eq!(world.count("users").await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_by_e_mail_creates_a_verified_account(pool: PgPool) {
    let world = World::new(pool).await;
    let asked = world.client.post("/api/auth/otp/request/", &json!({ "identifier": "User@example.com" })).await;
    assert_eq!(
        (asked.status, asked.body),
        (
            200,
            json!({
                "message": "OTP sent successfully", "phone_number": null, "expires_in": 180, "identifier": EMAIL,
                "method": "email"
            })
        )
    );
    let proof = json!({ "identifier": EMAIL, "otp_code": world.code(EMAIL) });
    let answer = world.client.post("/api/auth/otp/verify/", &proof).await;
    assert_eq!((answer.status, &answer.body["message"]), (200, &json!("OTP verified successfully")));
    assert_eq!((&answer.body["identifier"], &answer.body["method"]), (&json!(EMAIL), &json!("email")));
    let user = &answer.body["user"];
    assert_eq!(
        (&user["email"], &user["phone_number"], &user["is_verified"]),
        (&json!(EMAIL), &Value::Null, &json!(true))
    );

    let sent = world.client.post("/api/auth/otp/request/", &json!({ "identifier": "098765-43210" })).await;
    assert_eq!(
        sent.body,
        json!({
            "message": "OTP sent successfully", "phone_number": PHONE, "expires_in": 180, "identifier": PHONE,
            "method": "phone"
        })
    );
    let neither = world.client.post("/api/auth/otp/request/", &json!({ "identifier": "john" })).await;
    assert_eq!(neither.body["details"], json!({ "identifier": ["Enter a valid phone number or email address."] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_wrong_used_expired_or_replaced_code_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    request(&world, PHONE).await;
    let code = world.code(PHONE);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let verify = "/api/auth/phone/verify-otp/";
    assert_eq!(failure(&world.client.post(verify, &proof(PHONE, wrong)).await), (400, "INVALID_OTP"));
    let login = world.client.post("/api/auth/phone/login/", &proof(PHONE, wrong)).await;
    assert_eq!(failure(&login), (401, "INVALID_CREDENTIALS"));
    let unknown = world.client.post(verify, &proof("+919876500000", &code)).await;
    assert_eq!(failure(&unknown), (400, "INVALID_OTP"), "the code of another number");

    request(&world, PHONE).await;
    assert_eq!(failure(&world.client.post(verify, &proof(PHONE, &code)).await), (400, "INVALID_OTP"), "replaced");
    let code = world.code(PHONE);
    let copied = format!("\u{202a}{} {}\u{202c}", &code[..3], &code[3..]);
    assert_eq!(world.client.post(verify, &proof(PHONE, &copied)).await.status, 200, "a code is read as it was copied");
    assert_eq!(failure(&world.client.post(verify, &proof(PHONE, &code)).await), (400, "INVALID_OTP"), "used");

    request(&world, PHONE).await;
    world.descope.advance(Duration::from_secs(181));
    assert_eq!(failure(&world.client.post(verify, &proof(PHONE, &world.code(PHONE))).await), (400, "INVALID_OTP"));

    let missing = world.client.post(verify, &json!({})).await;
    let required = json!(["This field is required."]);
    assert_eq!(missing.body["details"], json!({ "phone_number": required, "otp_code": required }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_request_does_not_tell_whether_an_account_exists(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, PHONE).await;
    world.register(EMAIL).await;
    let mut answers = Vec::new();
    for identifier in [PHONE, "+919876543219", EMAIL, "nobody@example.com"] {
        let calls = world.descope.all_calls().len();
        let answer = world.client.post("/api/auth/otp/request/", &json!({ "identifier": identifier })).await;
        assert_eq!(answer.status, 200);
        assert_eq!(world.descope.all_calls().len() - calls, 2, "{identifier}");
        answers.push(answer.text.replace(identifier, "<identifier>"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[2], answers[3]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_verified_in_a_session_adds_the_number_to_its_account(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    request(&world, PHONE).await;
    let added = user.post("/api/auth/phone/verify-otp/", &proof(PHONE, &world.code(PHONE))).await;
    assert_eq!(added.status, 200, "{}", added.text);
    let profile = &added.body["user"];
    assert_eq!((&profile["id"], &profile["email"]), (&json!(1), &json!(EMAIL)));
    assert_eq!((&profile["phone_number"], &profile["is_verified"]), (&json!(PHONE), &json!(true)));
    for client in [&user, &world.signed_in(&added)] {
        assert_eq!(client.get("/api/auth/profile/").await.body["phone_number"], PHONE);
    }
    // The number now opens that account, and the password still does.
    let by_phone = world.prove(&world.client, PHONE).await;
    assert_eq!(by_phone.body["user"]["id"], 1);
    assert_eq!(world.login(EMAIL, PASSWORD).await.body["user"]["id"], 1);
    assert_eq!(world.count("users").await, 1);

    let other = world.user("other@example.com").await;
    let taken = world.prove(&other, PHONE).await;
    assert_eq!(failure(&taken), (409, "CONFLICT"));
    assert_eq!(other.get("/api/auth/profile/").await.body["phone_number"], Value::Null);
    let refresh = json!({ "refresh_token": super::refresh_token(&by_phone) });
    assert_eq!(world.client.post("/api/auth/token/refresh/", &refresh).await.status, 200, "its owner is not disturbed");
    assert_eq!(user.get("/api/auth/profile/").await.body["phone_number"], PHONE);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_is_sent_with_a_code_must_be_valid(pool: PgPool) {
    let world = World::new(pool).await;
    request(&world, PHONE).await;
    let code = world.code(PHONE);
    let answer = world.bearing("forged").post("/api/auth/phone/verify-otp/", &proof(PHONE, &code)).await;
    assert_eq!(failure(&answer), (401, "TOKEN_INVALID"));
    let answer = world.client.post("/api/auth/phone/verify-otp/", &proof(PHONE, &code)).await;
    assert_eq!(answer.status, 200, "the code was not used up");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_replaced_number_can_be_proved_by_its_next_owner(pool: PgPool) {
    let world = World::new(pool).await;
    let (old, new) = ("+919876500001", "+919876500002");
    let ada = world.signed_in(&world.prove(&world.client, old).await);
    assert_eq!(world.prove(&ada, new).await.body["user"]["phone_number"], new);
    // The old number now belongs to Bob.
    let bob = world.prove(&world.client, old).await;
    assert_eq!((bob.status, &bob.body["user"]["id"]), (200, &json!(2)));
    assert_eq!(world.prove(&world.client, new).await.body["user"]["id"], 1);
    // Ada's first session belonged to the old number: her tokens of it must not open Bob's account.
    assert_eq!(failure(&ada.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn proving_an_address_ends_all_access_of_a_squatter(pool: PgPool) {
    let world = World::new(pool).await;
    // Mallory registers with Ada's address, proves a number of her own, and keeps every token she gets.
    let registered = world.register(EMAIL).await;
    let mallory = world.signed_in(&registered);
    let by_phone = world.prove(&mallory, PHONE).await;
    assert_eq!(by_phone.body["user"]["id"], 1);
    let phone_session = world.signed_in(&by_phone);

    let ada = world.prove(&world.client, EMAIL).await;
    assert_eq!((ada.status, &ada.body["user"]["id"], &ada.body["user"]["email"]), (200, &json!(2), &json!(EMAIL)));
    assert_eq!(world.signed_in(&ada).get("/api/auth/profile/").await.status, 200);

    for client in [&mallory, &phone_session] {
        assert_eq!(failure(&client.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    }
    for answer in [&registered, &by_phone] {
        let body = json!({ "refresh_token": super::refresh_token(answer) });
        assert_eq!(world.client.post("/api/auth/token/refresh/", &body).await.status, 401);
        let at_descope = world.descope.url() + "/v1/auth/refresh";
        let bearer = format!("Bearer {}:{}", descope_stand_in::PROJECT_ID, super::refresh_token(answer));
        assert_eq!(super::tokens::http_post(&at_descope, &bearer, &json!({})).await, 401, "nor at Descope");
    }
    assert_eq!(failure(&world.login(EMAIL, PASSWORD).await), (401, "INVALID_CREDENTIALS"));
    let elsewhere = world.prove(&world.client, PHONE).await;
    assert_eq!(elsewhere.body["user"]["id"], 1, "her number opens the account in which it was proved");

    // Only the first proof ends sessions.
    let again = world.prove(&world.client, EMAIL).await;
    assert_eq!(again.status, 200);
    assert_eq!(world.signed_in(&ada).get("/api/auth/profile/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn proving_an_address_in_a_session_ends_all_access_of_a_squatter(pool: PgPool) {
    let world = World::new(pool).await;
    let squatter = world.user(EMAIL).await;
    let owner = world.signed_in(&world.prove(&world.client, PHONE).await);
    assert_eq!(owner.patch("/api/auth/profile/", &json!({ "email": EMAIL })).await.status, 200);
    let proved = world.prove(&owner, EMAIL).await;
    assert_eq!((proved.status, &proved.body["user"]["id"]), (200, &json!(2)));
    assert_eq!(proved.body["user"]["email"], EMAIL);
    assert_eq!(world.signed_in(&proved).get("/api/auth/profile/").await.body["id"], 2);

    assert_eq!(failure(&squatter.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    assert_eq!(failure(&world.login(EMAIL, PASSWORD).await), (401, "INVALID_CREDENTIALS"));
    assert_eq!(world.prove(&world.client, EMAIL).await.body["user"]["id"], 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unproved_number_in_a_profile_does_not_open_its_account(pool: PgPool) {
    let world = World::new(pool).await;
    let mut body = registration(EMAIL);
    body["phone_number"] = json!(PHONE);
    assert_eq!(world.client.post("/api/auth/register/", &body).await.status, 201);
    let owner = world.prove(&world.client, PHONE).await;
    assert_eq!((&owner.body["user"]["id"], &owner.body["user"]["email"]), (&json!(2), &Value::Null));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_resent_code_goes_to_the_number_of_the_signed_in_user(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    let none = user.post("/api/auth/phone/resend-otp/", &json!({})).await;
    assert_eq!(none.body["details"], json!({ "phone_number": ["This field is required."] }));
    user.patch("/api/auth/profile/", &json!({ "phone_number": PHONE })).await;
    let sent = user.post("/api/auth/phone/resend-otp/", &json!({})).await;
    assert_eq!(
        (sent.status, sent.body),
        (200, json!({ "message": "OTP resent successfully", "phone_number": PHONE, "expires_in": 180 }))
    );
    let with_number = json!({ "phone_number": PHONE });
    let named = world.bearing("expired or not").post("/api/auth/phone/resend-otp/", &with_number).await;
    assert_eq!(named.status, 200, "a number needs no session");
    assert_eq!(world.descope.inbox(PHONE).len(), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_proofs_of_one_number_succeed_for_one_account(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let mut callers = Vec::new();
    for (index, client) in world.environments(&options, 6).into_iter().enumerate() {
        let token = session_token(&world.register(&format!("user{index}@example.com")).await);
        callers.push(client.with("Authorization", &format!("Bearer {token}")));
    }
    request(&world, PHONE).await;
    let code = world.code(PHONE);
    let shown = proof(PHONE, &code);
    let tries = callers.iter().map(|caller| caller.post("/api/auth/phone/verify-otp/", &shown));
    // The code works once.
    let tries = join_all(tries).await;
    let statuses: Vec<u16> = tries.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    let owners: i64 = sqlx::query_scalar("select count(*) from users where phone = $1 and is_phone_verified")
        .bind(PHONE)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(owners, 1);
}
