//! Ways in to an account: which there are, how they end, who hears of it, and what is needed to add one.

use std::time::{Duration, Instant};

use descope_stand_in::Fault;
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    sign_in::proof::replacements,
};
use sqlx::PgPool;
use testing::Client;

use super::{
    Answer, EMAIL, PASSWORD, PHONE, World,
    attacks::{MALLORYS_EMAIL, MALLORYS_PHONE, PROFILE, add_phone, at_descope, reset, sign_up, text},
    failure, refresh_token,
};

/// Lets the last proof of every session be 16 minutes old.
async fn sixteen_minutes_later(world: &World) {
    sqlx::query("update user_sessions set proved_at = now() - interval '16 minutes'")
        .execute(&world.pool)
        .await
        .unwrap();
}

/// What was changed, and who is told.
async fn told(world: &World) -> Vec<(String, String)> {
    sqlx::query_as(
        "select payload ->> 'changed', payload ->> 'to' from outbox where kind = 'ways_in_changed' order by id",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

async fn reset_password(world: &World, email: &str) -> Answer {
    assert_eq!(world.client.post("/api/auth/password-reset/", &json!({ "email": email })).await.status, 200);
    reset(world, &world.link(email)).await
}

fn id(answer: &Answer) -> &Value {
    &answer.body["user"]["id"]
}

fn owned(changed: &str, to: &str) -> (String, String) {
    (changed.to_owned(), to.to_owned())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_ends_a_number_that_was_added_in_a_stolen_session(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.prove(&world.client, EMAIL).await;
    let stolen = world.signed_in(&owner);
    assert_eq!(world.prove(&stolen, PHONE).await.status, 200);
    // The thief replaces the owner's number.
    assert_eq!(world.prove(&stolen, MALLORYS_PHONE).await.status, 200);
    assert_eq!(id(&world.prove(&world.client, MALLORYS_PHONE).await), 1);

    assert_eq!(reset_password(&world, EMAIL).await.status, 200);
    let thief = world.prove(&world.client, MALLORYS_PHONE).await;
    assert_eq!((thief.status, id(&thief)), (200, &json!(2)));
    let back = world.login(EMAIL, "another password").await;
    assert_eq!((back.status, id(&back)), (200, &json!(1)));
    let status = world.signed_in(&back).get("/api/auth/phone/verification-status/").await.body;
    assert_eq!(status["is_phone_verified"], false);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_ends_a_number_that_was_added_at_descope(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.prove(&world.client, EMAIL).await;
    let added = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE, "addToLoginIDs": true });
    add_phone(&world, &refresh_token(&owner), added).await;
    assert_eq!(reset_password(&world, EMAIL).await.status, 200);
    assert_eq!(world.descope.user(MALLORYS_PHONE), None);
    assert_eq!(id(&world.login(EMAIL, "another password").await), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_login_id_that_was_added_at_descope_opens_an_account_of_its_own(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.prove(&world.client, EMAIL).await;
    let added = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE, "addToLoginIDs": true });
    add_phone(&world, &refresh_token(&owner), added).await;
    let other = world.prove(&world.client, MALLORYS_PHONE).await;
    assert_eq!((other.status, id(&other)), (200, &json!(2)));
    assert_eq!(id(&world.prove(&world.client, EMAIL).await), 1);
    assert_eq!(world.signed_in(&owner).get(PROFILE).await.status, 200, "the owner is not disturbed");
    assert_eq!(world.descope.user(EMAIL).unwrap()["loginIds"], json!([EMAIL]));
    assert_eq!(id(&world.prove(&world.client, MALLORYS_PHONE).await), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_changed_at_descope_resets_no_password(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.prove(&world.client, EMAIL).await;
    let change = json!({ "loginId": EMAIL, "email": MALLORYS_EMAIL, "addToLoginIDs": true });
    at_descope(&world, "/v1/auth/otp/update/email", Some(&refresh_token(&owner)), change).await;
    let shown = json!({ "loginId": EMAIL, "code": world.code(MALLORYS_EMAIL) });
    at_descope(&world, "/v1/auth/otp/verify/email", None, shown).await;
    let refused = reset_password(&world, MALLORYS_EMAIL).await;
    assert_eq!(failure(&refused), (400, "VALIDATION_ERROR"));
    assert_eq!(world.signed_in(&owner).get(PROFILE).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_that_is_removed_or_replaced_opens_the_account_no_longer(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.signed_in(&world.prove(&world.client, EMAIL).await);
    for (index, change) in ["", "+919000000009"].into_iter().enumerate() {
        let phone = format!("+91900000010{index}");
        assert_eq!(world.prove(&owner, &phone).await.status, 200);
        let by_phone = world.prove(&world.client, &phone).await;
        assert_eq!(id(&by_phone), 1);
        let changed = owner.patch(PROFILE, &json!({ "phone_number": change })).await;
        let shown = if change.is_empty() { Value::Null } else { json!(change) };
        assert_eq!((changed.status, &changed.body["phone_number"]), (200, &shown));
        assert_eq!(failure(&world.signed_in(&by_phone).get(PROFILE).await), (401, "SESSION_REVOKED"));
        assert_eq!(owner.get(PROFILE).await.status, 200, "the session that asks goes on");
        let later = world.prove(&world.client, &phone).await;
        assert_eq!((later.status, id(&later)), (200, &json!(index + 2)));
    }
    // Twice added and twice removed; only what was verified before is told.
    let to = [
        ("phone_number", EMAIL),
        ("phone_number", "+919000000100"),
        ("phone_number", EMAIL),
        ("phone_number", EMAIL),
        ("phone_number", "+919000000101"),
        ("phone_number", EMAIL),
    ];
    assert_eq!(told(&world).await, to.map(|(changed, to)| owned(changed, to)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_that_is_replaced_opens_the_account_no_longer(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.signed_in(&world.prove(&world.client, PHONE).await);
    assert_eq!(world.prove(&owner, EMAIL).await.status, 200);
    assert_eq!(id(&world.prove(&world.client, EMAIL).await), 1);
    let changed = owner.patch(PROFILE, &json!({ "email": "new@example.com" })).await;
    assert_eq!((changed.status, &changed.body["email"]), (200, &json!("new@example.com")));
    assert_eq!(id(&world.prove(&world.client, EMAIL).await), 2);
    // A code proves another one, which ends the one before.
    assert_eq!(world.prove(&owner, "new@example.com").await.status, 200);
    assert_eq!(world.prove(&owner, "newer@example.com").await.status, 200);
    assert_eq!(id(&world.prove(&world.client, "new@example.com").await), 3);
    assert_eq!(id(&world.prove(&world.client, "newer@example.com").await), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_stays_with_the_person_whose_address_is_replaced_and_not_with_the_mailbox(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, EMAIL).await;
    world.descope.set_roles(EMAIL, &["staff"]);
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!((id(&owner), &owner.body["user"]["is_staff"]), (&json!(1), &json!(true)));
    assert_eq!(world.prove(&world.signed_in(&owner), "new@example.com").await.status, 200);
    let stranger = world.prove(&world.client, EMAIL).await;
    assert_eq!((id(&stranger), &stranger.body["user"]["is_staff"]), (&json!(2), &json!(false)));
    let back = world.prove(&world.client, "new@example.com").await;
    assert_eq!((id(&back), &back.body["user"]["is_staff"]), (&json!(1), &json!(true)));
    assert_eq!(told(&world).await, [owned("email", EMAIL)]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_last_way_in_cannot_be_removed_or_replaced(pool: PgPool) {
    let world = World::new(pool).await;
    let by_phone = world.signed_in(&world.prove(&world.client, PHONE).await);
    let by_email = world.signed_in(&world.prove(&world.client, EMAIL).await);
    for (user, field, present, other) in
        [(&by_phone, "phone_number", PHONE, "+919000000009"), (&by_email, "email", EMAIL, "new@example.com")]
    {
        for change in ["", other] {
            let refused = user.patch(PROFILE, &json!({ field: change, "first_name": "Ada" })).await;
            assert_eq!(failure(&refused), (409, "CONFLICT"));
            let sentence =
                "This is the only way to sign in to this account. Prove another number or address with a code first.";
            assert_eq!(refused.body["details"], json!({ field: [sentence] }));
        }
        let same = user.patch(PROFILE, &json!({ field: present })).await.body;
        assert_eq!((&same["is_verified"], &same["first_name"]), (&json!(true), &json!("")));
    }
    assert_eq!(told(&world).await, []);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_number_or_address_needs_a_proof_of_the_last_15_minutes_in_the_session(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.signed_in(&world.prove(&world.client, EMAIL).await);
    sixteen_minutes_later(&world).await;
    let fresh_elsewhere = world.prove(&world.client, EMAIL).await;
    assert_eq!(fresh_elsewhere.status, 200);
    for identifier in [PHONE, MALLORYS_EMAIL] {
        let refused = world.prove(&owner, identifier).await;
        assert_eq!(failure(&refused), (403, "PERMISSION_DENIED"));
        assert!(refused.body["message"].as_str().unwrap().starts_with("Please sign in again, or prove"));
    }
    // The code is not used up, and a proof of what the account has is enough.
    let code = world.code(PHONE);
    assert_eq!(world.prove(&owner, EMAIL).await.status, 200);
    let added = owner.post("/api/auth/otp/verify/", &json!({ "identifier": PHONE, "otp_code": code })).await;
    assert_eq!((added.status, id(&added)), (200, &json!(1)));

    sixteen_minutes_later(&world).await;
    let password = world.login(EMAIL, PASSWORD).await;
    assert_eq!(password.status, 401);
    assert_eq!(failure(&world.prove(&world.signed_in(&fresh_elsewhere), "+919000000009").await).0, 403);
    assert_eq!(told(&world).await, [owned("phone_number", EMAIL)]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_address_that_an_account_was_made_with_can_be_proved_later(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    sixteen_minutes_later(&world).await;
    let proved = world.prove(&user, EMAIL).await;
    assert_eq!((proved.status, &proved.body["user"]["is_verified"]), (200, &json!(true)));
    assert_eq!(id(&world.login(EMAIL, PASSWORD).await), 1, "the password stays");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_token_from_elsewhere_proves_nothing_and_adds_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    at_descope(&world, "/v1/auth/otp/signup-in/sms", None, json!({ "loginId": PHONE })).await;
    let shown = json!({ "loginId": PHONE, "code": world.code(PHONE) });
    let made = at_descope(&world, "/v1/auth/otp/verify/sms", None, shown).await;
    let stranger = world.bearing(&text(&made, "sessionJwt"));
    let profile = stranger.get(PROFILE).await.body;
    assert_eq!((&profile["phone_number"], &profile["is_verified"]), (&json!(PHONE), &json!(false)));
    assert_eq!(failure(&world.prove(&stranger, MALLORYS_PHONE).await), (403, "PERMISSION_DENIED"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_tells_the_number_that_it_ends(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.signed_in(&world.prove(&world.client, EMAIL).await);
    assert_eq!(world.prove(&owner, PHONE).await.status, 200);
    assert_eq!(reset_password(&world, EMAIL).await.status, 200);
    let expected = [("phone_number", EMAIL), ("password", PHONE), ("password", EMAIL)];
    assert_eq!(told(&world).await, expected.map(|(changed, to)| owned(changed, to)));
}

/// A person registers with an address of another and proves a number of their own.
async fn registered_with_another_s_address(world: &World) -> Client {
    let client = world.user(EMAIL).await;
    assert_eq!(world.prove(&client, PHONE).await.status, 200);
    client
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_mailbox_opens_no_account_in_which_a_number_was_proved(pool: PgPool) {
    for by_reset in [false, true] {
        let world = World::new(pool.clone()).await;
        sqlx::query("truncate users, outbox restart identity cascade").execute(&world.pool).await.unwrap();
        let bob = registered_with_another_s_address(&world).await;
        let ada = if by_reset {
            assert_eq!(reset_password(&world, EMAIL).await.status, 200);
            world.login(EMAIL, "another password").await
        } else {
            world.prove(&world.client, EMAIL).await
        };
        assert_eq!((ada.status, id(&ada), &ada.body["user"]["first_name"]), (200, &json!(2), &json!("")), "{by_reset}");
        assert_eq!(failure(&bob.get(PROFILE).await), (401, "SESSION_REVOKED"), "it was opened with that address");
        let back = world.prove(&world.client, PHONE).await;
        assert_eq!((id(&back), &back.body["user"]["first_name"]), (&json!(1), &json!("John")));
        assert_eq!(told(&world).await, [owned("email", PHONE)]);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_proof_that_was_cut_short_is_finished_by_the_job(pool: PgPool) {
    let world = World::new(pool).await;
    let squatter = world.user(EMAIL).await;
    world.descope.set_roles(EMAIL, &["staff"]);
    world.descope.spoil("/v1/mgmt/user/create", Fault::status(500).times(2));
    assert_eq!(failure(&world.prove(&world.client, EMAIL).await), (502, "UPSTREAM_ERROR"));
    assert_eq!(world.descope.user(EMAIL), None, "deleted, and not created again");

    let database = Database::from(world.pool.clone());
    let sessions = testing::sessions(&database, &world.descope, &world.redis);
    let run = async || {
        let end = Instant::now() + Duration::from_mins(1);
        replacements::finish(&database, &sessions.descope, end).await.unwrap()
    };
    assert_eq!(run().await, 0, "the request may still be under way");
    let due = "update identity_replacements set due_at = now()";
    sqlx::query(due).execute(&world.pool).await.unwrap();
    assert_eq!(run().await, 0, "Descope fails once more");
    sqlx::query(due).execute(&world.pool).await.unwrap();
    assert_eq!(run().await, 1);
    assert_eq!(world.count("identity_replacements").await, 0);

    let user = world.descope.user(EMAIL).unwrap();
    assert_eq!(
        (&user["loginIds"], &user["roleNames"], &user["password"]),
        (&json!([EMAIL]), &json!(["staff"]), &json!(false))
    );
    assert_eq!(squatter.get(PROFILE).await.status, 401);
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!((id(&owner), &owner.body["user"]["is_staff"]), (&json!(1), &json!(true)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_proof_that_was_cut_short_and_is_given_again_leaves_nothing_to_the_job(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    world.descope.spoil("/v1/mgmt/user/create", Fault::status(500));
    assert_eq!(world.prove(&world.client, EMAIL).await.status, 502);
    assert_eq!(id(&world.prove(&world.client, EMAIL).await), 1);
    sqlx::query("update identity_replacements set due_at = now()").execute(&world.pool).await.unwrap();
    let database = Database::from(world.pool.clone());
    let sessions = testing::sessions(&database, &world.descope, &world.redis);
    let end = Instant::now() + Duration::from_mins(1);
    replacements::finish(&database, &sessions.descope, end).await.unwrap();
    assert_eq!(world.count("identity_replacements").await, 0);
    assert_eq!(id(&world.prove(&world.client, EMAIL).await), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_registration_takes_over_no_descope_user_with_another_way_in(pool: PgPool) {
    let world = World::new(pool).await;
    let made = sign_up(&world, EMAIL, json!({ "email": EMAIL, "phone": MALLORYS_PHONE })).await;
    let registered = world.register(EMAIL).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let user = world.descope.user(EMAIL).unwrap();
    assert_ne!(user["userId"], made["user"]["userId"]);
    assert_eq!(user["phone"], "");
}
