//! Razorpay's signatures: HMAC-SHA256 of the raw bytes, in lower-case hex.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::{
    Result,
    config::{self, Live, Settings},
};

/// The accepted webhook secrets: the current one, and the previous one for as long as Razorpay retries older events
/// that are signed with it.
#[derive(Clone, Debug)]
pub struct WebhookSecrets(Live<Vec<SecretString>>);

impl WebhookSecrets {
    /// Reads `RAZORPAY_WEBHOOK_SECRET` and `RAZORPAY_WEBHOOK_SECRET_PREVIOUS`, of which none may be set.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        settings
            .live(|values| {
                let present = values.optional(config::RAZORPAY_WEBHOOK_SECRET)?;
                let previous = values.optional(config::RAZORPAY_WEBHOOK_SECRET_PREVIOUS)?;
                Ok([present, previous].into_iter().flatten().map(|secret| secret.trim().into()).collect())
            })
            .map(Self)
    }

    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self(Live::fixed(secrets.into_iter().map(|secret| secret.trim().into()).collect::<Vec<_>>()))
    }

    /// Whether there is a secret. An error while the secret that may hold it has not been read.
    pub fn are_set(&self) -> Result<bool> {
        Ok(!self.0.get()?.is_empty())
    }

    /// Whether the body is signed with one of the secrets.
    pub async fn signed(&self, body: &[u8], signature: &str) -> Result<bool> {
        let by_one =
            |secrets: &[SecretString]| secrets.iter().any(|secret| verify(secret.expose_secret(), body, signature));
        let known = self.0.get()?;
        // The secret in Razorpay's dashboard may be newer than the one read here.
        Ok(by_one(&known) || self.0.instead_of(&known).await.is_some_and(|newer| by_one(&newer)))
    }
}

/// Whether the message has this signature; compared in constant time.
pub(super) fn verify(secret: &str, message: &[u8], signature: &str) -> bool {
    let Ok(bytes) = hex::decode(signature.trim()) else { return false };
    // HMAC accepts a key of any length.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.chain_update(message).verify_slice(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::{WebhookSecrets, verify};

    /// An event that Razorpay published with its SDKs. Its final newline is part of the signed bytes.
    const EVENT: &str = "ewogICJldmVudCI6ICJwYXltZW50LmF1dGhvcml6ZWQiLAogICJlbnRpdHkiOiAiZXZlbnQiLAogICJjb250YWlucyI6IFsKICAgICJwYXltZW50IgogIF0sCiAgInBheWxvYWQiOiB7CiAgICAicGF5bWVudCI6IHsKICAgICAgImVudGl0eSI6IHsKICAgICAgICAiaWQiOiAicGF5XzZrb1dON2J2eHVqenhNIiwKICAgICAgICAiZW50aXR5IjogInBheW1lbnQiLAogICAgICAgICJhbW91bnQiOiAxMDAwMDAwLAogICAgICAgICJjdXJyZW5jeSI6ICJJTlIiLAogICAgICAgICJzdGF0dXMiOiAiY2FwdHVyZWQiLAogICAgICAgICJvcmRlcl9pZCI6ICJvcmRlcl8xMDAwMDAwMDBvcmRlciIsCiAgICAgICAgImludGVybmF0aW9uYWwiOiBmYWxzZSwKICAgICAgICAibWV0aG9kIjogImNhcmQiLAogICAgICAgICJhbW91bnRfcmVmdW5kZWQiOiAwLAogICAgICAgICJyZWZ1bmRfc3RhdHVzIjogbnVsbCwKICAgICAgICAiY2FwdHVyZWQiOiB0cnVlLAogICAgICAgICJkZXNjcmlwdGlvbiI6ICJyYW5kb20gZGVzY3JpcHRpb24iLAogICAgICAgICJjYXJkX2lkIjogImNhcmRfNmtvV05BVDZMQVNVcXkiLAogICAgICAgICJiYW5rIjogbnVsbCwKICAgICAgICAid2FsbGV0IjogbnVsbCwKICAgICAgICAidnBhIjogbnVsbCwKICAgICAgICAiZW1haWwiOiAiYUBiLmNvbSIsCiAgICAgICAgImNvbnRhY3QiOiAiKzkxOTk5OTk5OTk5OSIsCiAgICAgICAgIm5vdGVzIjogewogICAgICAgICAgIm1lcmNoYW50X29yZGVyX2lkIjogInJhbmRvbSBvcmRlciBpZCIKICAgICAgICB9LAogICAgICAgICJmZWUiOiAyMzAwMCwKICAgICAgICAic2VydmljZV90YXgiOiAzMDAwLAogICAgICAgICJlcnJvcl9jb2RlIjogbnVsbCwKICAgICAgICAiZXJyb3JfZGVzY3JpcHRpb24iOiBudWxsLAogICAgICAgICJjcmVhdGVkX2F0IjogMTQ3OTk3ODQ4MwogICAgICB9CiAgICB9CiAgfSwKICAiY3JlYXRlZF9hdCI6IDE0MDA4MjY3NjAKfQo=";

    #[test]
    fn signatures_published_by_razorpay_are_accepted() {
        for (secret, message, signature) in [
            (
                "EnLs21M47BllR3X8PSFtjtbd",
                "order_IEIaMR65cu6nz3|pay_IH4NVgf4Dreq1l",
                "0d4e745a1838664ad6c9c9902212a32d627d68e917290b0ad5f08ff4561bc50f",
            ),
            (
                "key_secret",
                "fake_order_id|fake_payment_id",
                "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89",
            ),
            (
                "key_secret",
                "fake_other_id|fake_payment_id",
                "965ee2de4c5c4e6f006fb0a5a1736d992e5d4d52f9fe10b98c9b97ee169ebe18",
            ),
            (
                "123456",
                r#"{"a":1,"b":2,"c":{"d":3}}"#,
                "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc",
            ),
            (
                "chosen_webhook_secret",
                "order_123456789|pay_1234567890",
                "0c24222f628d6c36a0bd4604537228b9bae972d3986dc89172c60abafbd3c232",
            ),
            ("supersecret", "asdf", "e279c1f4cbe963b535a4fd0d54332f2d4aa0b76bb9abdb61dd1391c4804817df"),
            ("secret", "hello", "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b"),
        ] {
            assert!(verify(secret, message.as_bytes(), signature), "{message}");
            assert!(!verify("another", message.as_bytes(), signature), "{message}");
            assert!(!verify(secret, format!("{message} ").as_bytes(), signature), "{message}");
        }
    }

    #[test]
    fn order_and_payment_of_a_checkout_signature_cannot_be_swapped() {
        let signature = "9b857e32e5f79d770b469a4d7b3e5c5386004a677823dcbdddfef8fc7c6a8e18";
        assert!(verify("local_key_secret", b"order_TESTTESTTEST01|pay_TESTTESTTEST01", signature));
        assert!(!verify("local_key_secret", b"pay_TESTTESTTEST01|order_TESTTESTTEST01", signature));
    }

    #[tokio::test]
    async fn a_webhook_signature_covers_every_raw_byte_and_may_use_the_previous_secret() {
        let body = STANDARD.decode(EVENT).unwrap();
        assert_eq!(body.len(), 971);
        let secrets = WebhookSecrets::new(["present".to_owned(), "key_secret".to_owned()]);
        let signature = "d60e67fd884556c045e9be7dad57903e33efc7172c17c6e3ef77db42d2b366e9";
        assert!(secrets.signed(&body, signature).await.unwrap(), "with the secret before");
        assert!(!secrets.signed(&body[..970], signature).await.unwrap(), "without its last newline");
        assert!(!WebhookSecrets::new(["present".to_owned()]).signed(&body, signature).await.unwrap());
        let other = WebhookSecrets::new(["chosen_webhook_secret".to_owned()]);
        let signature = "dda9ca344c56ccbd90167b1be0fd99dfa92fe2b827020f27e2a46024e31c7c99";
        assert!(other.signed(&body, signature).await.unwrap());
    }

    #[test]
    fn malformed_and_wrong_signatures_are_refused() {
        for signature in ["", "x", &"0".repeat(64), &"é".repeat(64), &"0".repeat(63), &"ab".repeat(5000)] {
            assert!(!verify("secret", b"hello", signature), "{signature}");
        }
    }
}
