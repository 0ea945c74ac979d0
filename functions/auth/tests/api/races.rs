//! Races: the owner proves an address or takes the account back while another request waits.

use std::time::Duration;

use descope_stand_in::Fault;
use serde_json::json;
use shared::{accounts, database::MIGRATOR, ids::UserId};
use sqlx::PgPool;
use testing::Client;

use super::{
    Answer, EMAIL, World,
    attacks::{
        MALLORYS_EMAIL, MALLORYS_PHONE, PROFILE, add_phone, at_descope, reset, sign_up, signed_up_by_code, text,
    },
    failure, refresh_token,
};

/// The first user of a new database.
const OWNER: UserId = UserId(1);

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_proof_whose_session_is_revoked_meanwhile_adds_no_number(pool: PgPool) {
    let world = World::new(pool).await;
    let mallory = world.user(EMAIL).await;
    world.client.post("/api/auth/otp/request/", &json!({ "identifier": MALLORYS_PHONE })).await;
    let verify = "/v1/auth/otp/verify/sms";
    world.descope.spoil(verify, Fault::delay(Duration::from_millis(1500)));
    let shown = json!({ "identifier": MALLORYS_PHONE, "otp_code": world.code(MALLORYS_PHONE) });
    let late = async { mallory.post("/api/auth/otp/verify/", &shown).await };
    let owner = async {
        testing::eventually("the proof waits", async || world.descope.calls(verify) > 0).await;
        world.prove(&world.client, EMAIL).await
    };
    let (late, owner) = futures::join!(late, owner);
    assert_eq!((owner.status, failure(&late)), (200, (401, "SESSION_REVOKED")));
    let back = world.prove(&world.client, MALLORYS_PHONE).await;
    assert_ne!(back.body["user"]["id"], owner.body["user"]["id"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_in_overtaken_by_the_owner_s_proof_of_the_address_keeps_its_own_account(pool: PgPool) {
    let world = World::new(pool).await;
    let anew = "/v1/mgmt/user/signin/embeddedlink";

    // Without a session: Mallory registered with the owner's address and proves a number that she added at Descope.
    let registered = world.register(EMAIL).await;
    let added = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE, "addToLoginIDs": true });
    add_phone(&world, &refresh_token(&registered), added).await;
    let (late, owner) = overtaken(&world, &world.client, MALLORYS_PHONE, anew, EMAIL).await;
    assert_eq!((owner.status, late.status), (200, 200));
    assert_ne!(owner.body["user"]["id"], late.body["user"]["id"]);

    // In a session, opened with a token that Mallory fetched from Descope directly.
    let made = sign_up(&world, "other@example.com", json!({ "email": "other@example.com" })).await;
    let mallory = world.bearing(&text(&made, "sessionJwt"));
    assert_eq!(mallory.get(PROFILE).await.status, 200);
    sqlx::query("update user_sessions set proved_at = now()").execute(&world.pool).await.unwrap();
    let (late, owner) = overtaken(&world, &mallory, "+919876500002", anew, "other@example.com").await;
    assert_eq!((owner.status, late.status), (200, 200));
    assert_ne!(owner.body["user"]["id"], late.body["user"]["id"]);
}

/// Mallory proves her number; the owner proves the address while her request waits for this path of Descope.
async fn overtaken(world: &World, mallory: &Client, number: &str, path: &str, address: &str) -> (Answer, Answer) {
    world.client.post("/api/auth/otp/request/", &json!({ "identifier": number })).await;
    let shown = json!({ "identifier": number, "otp_code": world.code(number) });
    let before = world.descope.calls(path);
    world.descope.spoil(path, Fault::delay(Duration::from_millis(1500)));
    let late = async { mallory.post("/api/auth/otp/verify/", &shown).await };
    let owner = async {
        testing::eventually("her request waits", async || world.descope.calls(path) > before).await;
        world.prove(&world.client, address).await
    };
    futures::join!(late, owner)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_made_while_a_code_is_sent_loses_access_once_it_is_verified(pool: PgPool) {
    let world = World::new(pool).await;
    let send = "/v1/auth/otp/signup-in/email";
    world.descope.spoil(send, Fault::delay(Duration::from_millis(1500)));
    let asked = json!({ "identifier": EMAIL });
    let request = async { world.client.post("/api/auth/otp/request/", &asked).await };
    let mallory = async {
        testing::eventually("the code is being sent", async || world.descope.calls(send) > 0).await;
        signed_up_by_code(&world).await
    };
    let (sent, kept) = futures::join!(request, mallory);
    assert_eq!(sent.status, 200);
    let change = json!({ "loginId": EMAIL, "email": EMAIL });
    at_descope(&world, "/v1/auth/otp/update/email", Some(&kept), change).await;
    let shown = json!({ "identifier": EMAIL, "otp_code": world.code(EMAIL) });
    let owner = world.client.post("/api/auth/otp/verify/", &shown).await;
    let late = world.client.post("/api/auth/token/refresh/", &json!({ "refresh_token": kept })).await;
    assert_eq!((owner.status, late.status), (200, 401));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_profile_change_overtaken_by_a_revocation_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let mallory = world.user(EMAIL).await;
    let mut taking_back = world.pool.begin().await.unwrap();
    accounts::revoke_sessions(&mut taking_back, OWNER).await.unwrap();
    let changes = json!({ "email": MALLORYS_EMAIL });
    let late = async { mallory.patch(PROFILE, &changes).await };
    let owner = async {
        testing::a_lock_is_waited_for(&world.pool).await;
        taking_back.commit().await.unwrap();
    };
    let (late, ()) = futures::join!(late, owner);
    assert_eq!(failure(&late), (401, "SESSION_REVOKED"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_overtaken_by_the_owner_s_proof_sets_no_password(pool: PgPool) {
    let world = World::new(pool).await;
    let mallory = world.user(EMAIL).await;
    world.prove(&mallory, MALLORYS_EMAIL).await;
    world.client.post("/api/auth/password-reset/", &json!({ "email": MALLORYS_EMAIL })).await;
    let link = world.link(MALLORYS_EMAIL);
    let mut taking_back = world.pool.begin().await.unwrap();
    accounts::hold(&mut taking_back, OWNER).await.unwrap();
    accounts::close_other_ways_in(&mut *taking_back, OWNER, "U2owner").await.unwrap();
    accounts::link(&mut taking_back, "U2owner", OWNER, None, true).await.unwrap();
    let late = async { reset(&world, &link).await };
    let owner = async {
        testing::a_lock_is_waited_for(&world.pool).await;
        taking_back.commit().await.unwrap();
    };
    let (late, ()) = futures::join!(late, owner);
    assert_eq!(late.status, 400, "{}", late.text);
    assert_eq!(world.descope.calls("/v1/mgmt/user/password/set/active"), 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_overtaken_by_the_owner_s_proof_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let mallory = world.prove(&world.client, MALLORYS_PHONE).await;
    assert_eq!(mallory.status, 200);
    world.client.post("/api/auth/otp/request/", &json!({ "identifier": MALLORYS_PHONE })).await;
    let shown = json!({ "identifier": MALLORYS_PHONE, "otp_code": world.code(MALLORYS_PHONE) });
    let mut taking_back = world.pool.begin().await.unwrap();
    accounts::hold(&mut taking_back, OWNER).await.unwrap();
    accounts::close_other_ways_in(&mut *taking_back, OWNER, "U2owner").await.unwrap();
    let late = async { world.client.post("/api/auth/otp/verify/", &shown).await };
    let owner = async {
        testing::a_lock_is_waited_for(&world.pool).await;
        taking_back.commit().await.unwrap();
    };
    let (late, ()) = futures::join!(late, owner);
    assert_eq!(failure(&late), (400, "INVALID_OTP"));
    assert_eq!(world.count("user_sessions").await, 1, "that from before");
}
