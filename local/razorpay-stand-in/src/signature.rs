//! Signatures: lower-case hex of HMAC-SHA256, for checkout and for webhooks alike.

use aws_lc_rs::hmac;

/// Signs a message with a secret.
///
/// Checkout signs `order_id|payment_id` with the secret of the API key; a webhook is signed over the raw bytes of its body.
pub fn sign(secret: &str, message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, message))
}
