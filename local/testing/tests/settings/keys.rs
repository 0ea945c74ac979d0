//! Rotation of the keys of Descope, of Razorpay and of the staff while they are in use.

use std::time::Duration;

use descope_stand_in::StandIn as DescopeStandIn;
use lambda_http::http::StatusCode;
use razorpay_stand_in::{Outcome, StandIn as RazorpayStandIn, sign};
use serde_json::json;
use shared::{
    Error, Result,
    config::{
        DESCOPE_MANAGEMENT_KEY, Pace, RAZORPAY_KEY_ID, RAZORPAY_KEY_SECRET, RAZORPAY_WEBHOOK_SECRET, SECRET_ID,
        STAFF_API_KEYS, Settings, Variable,
    },
    database::Database,
    descope::Descope,
    http::{Edge, json as answer, routes},
    razorpay::{Razorpay, WebhookSecrets},
    staff::{StaffKey, StaffKeys},
};
use sqlx::PgPool;
use testing::{Client, Fault, no_throttle, redis};

use crate::servers::{Aws, QUICK};

/// Settings with all values in one secret.
async fn settings(aws: &Aws, secret: &[(Variable, &str)], pace: Pace) -> Settings {
    put(aws, secret).await;
    aws.settings(&[(SECRET_ID, &aws.id("own"))], pace).await
}

async fn put(aws: &Aws, secret: &[(Variable, &str)]) {
    let values: serde_json::Map<_, _> =
        secret.iter().map(|(variable, value)| (variable.name().to_owned(), json!(value))).collect();
    aws.put("own", json!(values)).await;
}

#[tokio::test]
async fn a_call_to_descope_is_retried_with_the_new_key_after_a_refusal() {
    let (aws, stand_in) = (Aws::start().await, DescopeStandIn::start().await);
    let settings = settings(&aws, &[(DESCOPE_MANAGEMENT_KEY, "old")], QUICK).await;
    let descope = Descope::with_keys_of(&settings, &stand_in.url(), stand_in.project_id()).unwrap();
    let refused = descope.user("U1").await;
    assert!(matches!(refused, Err(Error::Upstream { .. })), "{refused:?}");
    assert_eq!(stand_in.calls("/v1/mgmt/user"), 1, "the same key is not tried twice");

    put(&aws, &[(DESCOPE_MANAGEMENT_KEY, stand_in.management_key())]).await;
    assert!(descope.user("U1").await.unwrap().is_none());
    assert!(descope.create_user(&"a@example.com".parse().unwrap(), &[]).await.unwrap().is_some());
    assert_eq!(stand_in.calls("/v1/mgmt/user"), 3);
    assert_eq!(stand_in.calls("/v1/mgmt/user/create"), 1);
}

#[tokio::test]
async fn without_a_known_key_no_call_is_sent() {
    let (aws, stand_in) = (Aws::start().await, DescopeStandIn::start().await);
    let settings = settings(&aws, &[], QUICK).await;
    let descope = Descope::with_keys_of(&settings, &stand_in.url(), stand_in.project_id()).unwrap();
    let error = descope.user("U1").await.unwrap_err();
    assert!(matches!(error, Error::Unset(missing) if missing == config_error("DESCOPE_MANAGEMENT_KEY")), "{error:?}");
    assert_eq!(stand_in.all_calls(), [""; 0]);
}

fn config_error(name: &'static str) -> shared::config::Error {
    shared::config::Error::Missing(name)
}

#[tokio::test]
async fn an_order_is_created_once_when_it_is_retried_with_the_new_key() {
    let (aws, stand_in) = (Aws::start().await, RazorpayStandIn::start().await);
    let old = [(RAZORPAY_KEY_ID, "rzp_test_old"), (RAZORPAY_KEY_SECRET, "old")];
    let settings = settings(&aws, &old, QUICK).await;
    let razorpay = Razorpay::with_key_of(&settings, &stand_in.url()).unwrap();
    assert!(razorpay.create_order(100, "INR", "receipt").await.is_err());
    assert_eq!((stand_in.calls("/v1/orders"), razorpay.key_id().unwrap().as_str()), (1, "rzp_test_old"));

    put(&aws, &[(RAZORPAY_KEY_ID, stand_in.key_id()), (RAZORPAY_KEY_SECRET, stand_in.key_secret())]).await;
    let order = razorpay.create_order(100, "INR", "receipt").await.unwrap();
    assert_eq!((stand_in.orders().len(), stand_in.calls("/v1/orders")), (1, 3));
    assert_eq!(razorpay.key_id().unwrap(), stand_in.key_id());
    assert_eq!(razorpay.payments_of(&order.id).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_checkout_signed_with_a_newer_key_is_accepted() {
    let (aws, stand_in) = (Aws::start().await, RazorpayStandIn::start().await);
    let old = [(RAZORPAY_KEY_ID, stand_in.key_id()), (RAZORPAY_KEY_SECRET, "old")];
    let settings = settings(&aws, &old, QUICK).await;
    let razorpay = Razorpay::with_key_of(&settings, &stand_in.url()).unwrap();
    let with_the_key = Razorpay::new(&stand_in.url(), stand_in.key_id(), stand_in.key_secret()).unwrap();
    let order = with_the_key.create_order(100, "INR", "receipt").await.unwrap();
    let paid = stand_in.checkout(&order.id, Outcome::Captured);
    let is_signed = async || {
        let signature = &paid.signature;
        razorpay.is_signed(&order.id, &paid.payment_id, signature).await.unwrap()
    };
    assert!(!is_signed().await);
    put(&aws, &[(RAZORPAY_KEY_ID, stand_in.key_id()), (RAZORPAY_KEY_SECRET, stand_in.key_secret())]).await;
    assert!(is_signed().await);
}

const PREVIOUS: Variable = shared::config::RAZORPAY_WEBHOOK_SECRET_PREVIOUS;

#[tokio::test]
async fn webhooks_signed_with_the_previous_or_a_newer_secret_are_accepted() {
    let aws = Aws::start().await;
    let settings = settings(&aws, &[(RAZORPAY_WEBHOOK_SECRET, "first")], QUICK).await;
    let secrets = WebhookSecrets::from_settings(&settings).unwrap();
    let is_known = async |secret: &str| secrets.signed(b"event", &sign(secret, b"event")).await.unwrap();
    assert_eq!((is_known("first").await, is_known("second").await), (true, false));
    put(&aws, &[(RAZORPAY_WEBHOOK_SECRET, "second"), (PREVIOUS, "first")]).await;
    assert_eq!((is_known("second").await, is_known("first").await), (true, true));
    put(&aws, &[(RAZORPAY_WEBHOOK_SECRET, "second")]).await;
    assert!(!is_known("third").await);
    assert_eq!((is_known("second").await, is_known("first").await), (true, false));
}

#[tokio::test]
async fn wrong_signatures_call_secrets_manager_at_most_once_per_pause() {
    let aws = Aws::start().await;
    let pace = Pace { pause: Duration::from_hours(1), ..QUICK };
    let settings = settings(&aws, &[(RAZORPAY_WEBHOOK_SECRET, "right")], pace).await;
    let secrets = WebhookSecrets::from_settings(&settings).unwrap();
    let before = aws.network.requests();
    for number in 0..20 {
        assert!(!secrets.signed(b"event", &sign(&format!("wrong {number}"), b"event")).await.unwrap());
    }
    assert_eq!(aws.network.requests(), before);
    assert!(secrets.signed(b"event", &sign("right", b"event")).await.unwrap());
}

#[utoipa::path(get, path = "/whose", responses((status = 200)))]
async fn whose(key: Option<StaffKey>) -> Result<axum::response::Response> {
    Ok(answer(StatusCode::OK, &json!(key.map(|key| key.label))))
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn staff_keys_change_without_a_deployment(pool: PgPool) {
    let aws = Aws::start().await;
    let settings = settings(&aws, &[(STAFF_API_KEYS, "desk:the-first-key-of-all")], QUICK).await;
    let database = Database::from(pool);
    let keys = StaffKeys::from_settings(&settings, database.clone(), no_throttle(&redis())).unwrap();
    let client = Client::new(routes!(whose).with_state(keys), database);
    let whose = async |key: &str| {
        let answer = client.with("x-api-key", key).get("/whose").await;
        (answer.status, answer.body["code"].as_str().map(ToOwned::to_owned), answer.body)
    };
    let desk = (200, None, json!("desk"));
    assert_eq!(whose("the-first-key-of-all").await, desk);
    let stranger = whose("the-second-key-of-all").await;
    assert_eq!((stranger.0, stranger.1.as_deref()), (403, Some("API_KEY_INVALID")));
    put(&aws, &[(STAFF_API_KEYS, "desk:the-second-key-of-all,desk:the-first-key-of-all")]).await;
    assert_eq!(
        (whose("the-second-key-of-all").await, whose("the-first-key-of-all").await),
        (desk.clone(), desk.clone())
    );
    put(&aws, &[(STAFF_API_KEYS, "desk:the-second-key-of-all")]).await;
    assert_eq!(whose("unknown").await.0, 403, "which makes it look");
    assert_eq!((whose("the-second-key-of-all").await, whose("the-first-key-of-all").await.0), (desk, 403));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_key_is_not_refused_while_the_secret_with_the_keys_has_not_been_read(pool: PgPool) {
    let aws = Aws::start().await;
    put(&aws, &[(STAFF_API_KEYS, "desk:the-first-key-of-all")]).await;
    aws.network.set(Fault::Stopped);
    let id = aws.id("own");
    let settings = aws.settings(&[(SECRET_ID, id.as_str())], QUICK).await;
    let database = Database::from(pool);
    let keys = StaffKeys::from_settings(&settings, database.clone(), no_throttle(&redis())).unwrap();
    let client = Client::behind(routes!(whose).with_state(keys), Edge::new(settings, database));
    let client = client.with("x-api-key", "the-first-key-of-all");
    let unread = client.get("/whose").await;
    assert_eq!((unread.status, &unread.body["code"]), (503, &json!("SERVICE_UNAVAILABLE")));
    aws.network.set(Fault::None);
    testing::eventually("the key is known", async || client.get("/whose").await.body == json!("desk")).await;
}
