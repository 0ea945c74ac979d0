//! A password as the stand-in keeps it.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use stand_in::random;

use crate::answer::{Reason, Result};

/// Low, because the stand-in holds no secrets and tests sign in often.
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// In characters.
pub(crate) const SHORTEST: usize = 8;
const LONGEST: usize = 64;

/// A salted hash of a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Password {
    salt: String,
    hash: String,
    /// Temporary or expired: only valid for setting a new password.
    pub(crate) expired: bool,
}

impl Password {
    /// Hashes a password. Refuses one that violates the policy.
    pub(crate) fn new(password: &str, expired: bool) -> Result<Self> {
        let length = password.chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            let message = format!("The password must have {SHORTEST} to {LONGEST} characters");
            return Err(Reason::ValidationFailed.because(message));
        }
        let salt = random::text::<16>();
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt.as_bytes(), password.as_bytes(), &mut hash);
        Ok(Self { salt, hash: BASE64_STANDARD.encode(hash), expired })
    }

    pub(crate) fn expire(&mut self) {
        self.expired = true;
    }

    pub(crate) fn is(&self, password: &str) -> bool {
        let hash = BASE64_STANDARD.decode(&self.hash).unwrap_or_default();
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, self.salt.as_bytes(), password.as_bytes(), &hash).is_ok()
    }
}
