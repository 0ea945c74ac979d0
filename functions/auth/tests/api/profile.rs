//! The profile: which fields can be changed, and that a changed number or address is unverified.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{EMAIL, PHONE, World, told};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_profile_change_keeps_fields_that_are_not_sent(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    let changed = user
        .patch(
            "/api/auth/profile/",
            &json!({ "first_name": " Ada ", "profile_picture": "https://example.com/a.png", "is_staff": true, "id": 7 }),
        )
        .await;
    let expected = json!({
        "id": 1, "username": EMAIL, "email": EMAIL, "first_name": "Ada", "last_name": "Doe", "phone_number": null,
        "profile_picture": "https://example.com/a.png", "is_verified": false, "created_at": "<moment>",
        "updated_at": "<moment>", "is_staff": false, "is_superuser": false
    });
    assert_eq!((changed.status, told(&changed)), (200, expected.clone()));
    assert_eq!(told(&user.patch("/api/auth/profile/", &json!({})).await), expected);
    assert_eq!(told(&user.get("/api/auth/profile/").await), expected);
    let cleared = user.patch("/api/auth/profile/", &json!({ "profile_picture": "", "last_name": "" })).await.body;
    assert_eq!((&cleared["profile_picture"], &cleared["last_name"]), (&Value::Null, &json!("")));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_invalid_profile_field_is_reported_under_its_name(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    for picture in ["http://example.com/a.png", "javascript:alert(1)", "a.png", "https://u:p@example.com/"] {
        let answer = user.patch("/api/auth/profile/", &json!({ "profile_picture": picture })).await;
        assert_eq!(answer.body["details"], json!({ "profile_picture": ["Enter a valid https URL."] }), "{picture}");
    }
    let names = ["first_name", "last_name", "profile_picture", "email", "phone_number"];
    let nulls: Value = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let answer = user.patch("/api/auth/profile/", &nulls).await;
    let faults: Value = names.iter().map(|name| ((*name).to_owned(), json!(["This field may not be null."]))).collect();
    assert_eq!((answer.status, &answer.body["details"]), (400, &faults));
    let body = json!({ "first_name": "A\u{1b}sha", "last_name": "\u{200b}", "email": "john@example.c" });
    let answer = user.patch("/api/auth/profile/", &body).await;
    let sentence = "Email: Enter a valid email address. (and 2 more)";
    assert_eq!(
        answer.body,
        json!({
            "error": sentence, "message": sentence, "detail": sentence, "status_code": 400, "code": "VALIDATION_ERROR",
            "details": {
                "email": ["Enter a valid email address."],
                "first_name": ["This field may not contain control characters."],
                "last_name": ["This field may not be blank."],
            }
        }),
        "an app shows `error` first"
    );
    let body = json!({ "first_name": "x".repeat(101), "email": "john", "phone_number": "12", "last_name": [] });
    let answer = user.patch("/api/auth/profile/", &body).await;
    assert_eq!(
        (answer.status, &answer.body["details"]),
        (
            400,
            &json!({
                "first_name": ["Ensure this field has no more than 100 characters."],
                "email": ["Enter a valid email address."], "phone_number": ["Enter a valid phone number."],
                "last_name": ["Not a valid string."]
            })
        )
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_claimed_number_is_unverified_and_still_opens_its_owner_s_account(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.signed_in(&world.prove(&world.client, PHONE).await);
    let user = world.user(EMAIL).await;
    let claimed = user.patch("/api/auth/profile/", &json!({ "phone_number": "098765 43210" })).await;
    assert_eq!(claimed.status, 200, "a refusal would tell whose number it is");
    assert_eq!((&claimed.body["phone_number"], &claimed.body["is_verified"]), (&json!(PHONE), &json!(false)));
    let status = user.get("/api/auth/phone/verification-status/").await.body;
    assert_eq!(status, json!({ "is_phone_verified": false, "phone_number": PHONE }));
    let status = owner.get("/api/auth/phone/verification-status/").await.body;
    assert_eq!(status, json!({ "is_phone_verified": true, "phone_number": PHONE }));
    assert_eq!(world.prove(&world.client, PHONE).await.body["user"]["id"], 1, "it still opens its owner's account");

    // The same number again stays verified; another does not.
    let same = owner.patch("/api/auth/profile/", &json!({ "phone_number": "9876543210" })).await.body;
    assert_eq!(same["is_verified"], true);
    assert_eq!(world.prove(&owner, "owner@example.com").await.status, 200);
    let other = owner.patch("/api/auth/profile/", &json!({ "phone_number": "+919876500000" })).await.body;
    assert_eq!(other["phone_number"], "+919876500000");
    let status = owner.get("/api/auth/phone/verification-status/").await.body;
    assert_eq!(status, json!({ "is_phone_verified": false, "phone_number": "+919876500000" }));
    let none = owner.patch("/api/auth/profile/", &json!({ "phone_number": "" })).await.body;
    assert_eq!(none["phone_number"], Value::Null);
}
