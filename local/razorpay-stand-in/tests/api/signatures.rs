//! Signatures: published vectors of the official SDKs, and the stand-in's own signatures.

use base64::{Engine, prelude::BASE64_STANDARD};
use razorpay_stand_in::{KEY_SECRET, Outcome, StandIn, WEBHOOK_SECRET, sign};

use crate::client::paid;

/// A webhook from the tests of the Python and Ruby SDKs. It ends with a line feed.
const FIXTURE: &str = "\
    ewogICJldmVudCI6ICJwYXltZW50LmF1dGhvcml6ZWQiLAogICJlbnRpdHkiOiAiZXZlbnQiLAogICJjb250YWlucyI6IFsKICAg\
    ICJwYXltZW50IgogIF0sCiAgInBheWxvYWQiOiB7CiAgICAicGF5bWVudCI6IHsKICAgICAgImVudGl0eSI6IHsKICAgICAgICAi\
    aWQiOiAicGF5XzZrb1dON2J2eHVqenhNIiwKICAgICAgICAiZW50aXR5IjogInBheW1lbnQiLAogICAgICAgICJhbW91bnQiOiAx\
    MDAwMDAwLAogICAgICAgICJjdXJyZW5jeSI6ICJJTlIiLAogICAgICAgICJzdGF0dXMiOiAiY2FwdHVyZWQiLAogICAgICAgICJv\
    cmRlcl9pZCI6ICJvcmRlcl8xMDAwMDAwMDBvcmRlciIsCiAgICAgICAgImludGVybmF0aW9uYWwiOiBmYWxzZSwKICAgICAgICAi\
    bWV0aG9kIjogImNhcmQiLAogICAgICAgICJhbW91bnRfcmVmdW5kZWQiOiAwLAogICAgICAgICJyZWZ1bmRfc3RhdHVzIjogbnVs\
    bCwKICAgICAgICAiY2FwdHVyZWQiOiB0cnVlLAogICAgICAgICJkZXNjcmlwdGlvbiI6ICJyYW5kb20gZGVzY3JpcHRpb24iLAog\
    ICAgICAgICJjYXJkX2lkIjogImNhcmRfNmtvV05BVDZMQVNVcXkiLAogICAgICAgICJiYW5rIjogbnVsbCwKICAgICAgICAid2Fs\
    bGV0IjogbnVsbCwKICAgICAgICAidnBhIjogbnVsbCwKICAgICAgICAiZW1haWwiOiAiYUBiLmNvbSIsCiAgICAgICAgImNvbnRh\
    Y3QiOiAiKzkxOTk5OTk5OTk5OSIsCiAgICAgICAgIm5vdGVzIjogewogICAgICAgICAgIm1lcmNoYW50X29yZGVyX2lkIjogInJh\
    bmRvbSBvcmRlciBpZCIKICAgICAgICB9LAogICAgICAgICJmZWUiOiAyMzAwMCwKICAgICAgICAic2VydmljZV90YXgiOiAzMDAw\
    LAogICAgICAgICJlcnJvcl9jb2RlIjogbnVsbCwKICAgICAgICAiZXJyb3JfZGVzY3JpcHRpb24iOiBudWxsLAogICAgICAgICJj\
    cmVhdGVkX2F0IjogMTQ3OTk3ODQ4MwogICAgICB9CiAgICB9CiAgfSwKICAiY3JlYXRlZF9hdCI6IDE0MDA4MjY3NjAKfQo=";

const VECTORS: [(&str, &str, &str); 8] = [
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        "order_IEIaMR65cu6nz3|pay_IH4NVgf4Dreq1l",
        "0d4e745a1838664ad6c9c9902212a32d627d68e917290b0ad5f08ff4561bc50f",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        "pay_IDZNwZZFtnjyym|sub_ID6MOhgkcoHj9I",
        "601f383334975c714c91a7d97dd723eb56520318355863dcf3821c0d07a17693",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        "plink_IH3cNucfVEgV68|TSsd1989|paid|pay_IH3d0ara9bSsjQ",
        "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b",
    ),
    ("key_secret", "fake_order_id|fake_payment_id", "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89"),
    ("123456", r#"{"a":1,"b":2,"c":{"d":3}}"#, "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"),
    (
        "chosen_webhook_secret",
        "order_123456789|pay_1234567890",
        "0c24222f628d6c36a0bd4604537228b9bae972d3986dc89172c60abafbd3c232",
    ),
    ("supersecret", "asdf", "e279c1f4cbe963b535a4fd0d54332f2d4aa0b76bb9abdb61dd1391c4804817df"),
    (
        "whsec_local_1",
        r#"{"notes":{"msg":"₹500 café"}}"#,
        "2f03e47492435f6fb841a61397b2fa3f91d6bfd0d143f5c8fd07383cf0295ab9",
    ),
];

#[test]
fn signatures_match_the_published_vectors() {
    for (secret, message, signature) in VECTORS {
        assert_eq!(sign(secret, message.as_bytes()), signature, "{message}");
    }
}

#[test]
fn a_webhook_signature_covers_every_byte() {
    let fixture = BASE64_STANDARD.decode(FIXTURE).unwrap();
    let cut = fixture.strip_suffix(b"\n").unwrap();
    assert_eq!((fixture.len(), cut.len()), (971, 970));
    for (secret, whole, without_line_feed) in [
        (
            "key_secret",
            "d60e67fd884556c045e9be7dad57903e33efc7172c17c6e3ef77db42d2b366e9",
            "0971cde1d9216765d9aa72c766aef4a913fedfd2d36cc05cbca5de1ef90c12e4",
        ),
        (
            "chosen_webhook_secret",
            "dda9ca344c56ccbd90167b1be0fd99dfa92fe2b827020f27e2a46024e31c7c99",
            "e5846d2087aa4e7397ec94d2b0ff1e930f06cbb514d8c78110ffda51b218ce47",
        ),
    ] {
        assert_eq!((sign(secret, &fixture), sign(secret, cut)), (whole.to_owned(), without_line_feed.to_owned()));
    }
}

#[tokio::test]
async fn checkout_and_webhooks_are_signed_with_their_own_secrets() {
    let stand_in = StandIn::start().await;
    let paid = paid(&stand_in, Outcome::Captured).await;
    let message = format!("{}|{}", paid.order_id, paid.payment_id);
    assert_eq!(paid.signature, sign(KEY_SECRET, message.as_bytes()));
    for webhook in stand_in.webhooks() {
        let signature = sign(WEBHOOK_SECRET, webhook.body.as_bytes());
        assert_eq!(webhook.header("x-razorpay-signature"), Some(signature.as_str()));
        assert_eq!(stand_in.sign_webhook(webhook.body.as_bytes()), signature);
    }
}
