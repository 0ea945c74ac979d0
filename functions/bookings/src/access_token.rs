//! The token that proves a booking to be one's own: shown once, kept as a hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use shared::{Error, Result};
use subtle::ConstantTimeEq;

/// A booking's access token: 256 random bits in base64url.
pub(crate) struct AccessToken(String);

impl AccessToken {
    /// A new token, or one that a caller has sent.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What a caller has sent in place of a token.
    pub(crate) fn sent(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for the customer's eyes.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Whether it is the token that was kept, in constant time.
    pub(crate) fn opens(&self, sha256: &[u8]) -> bool {
        self.sha256().as_slice().ct_eq(sha256).into()
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AccessToken")
    }
}

#[cfg(test)]
mod tests {
    use super::AccessToken;

    #[test]
    fn only_the_same_token_opens() {
        let token = AccessToken::generate().unwrap();
        assert!(AccessToken::sent(token.reveal()).opens(&token.sha256()));
        for other in ["", "x", &token.reveal()[1..], &format!("{}=", token.reveal())] {
            assert!(!AccessToken::sent(other).opens(&token.sha256()), "{other}");
        }
        assert!(!AccessToken::generate().unwrap().opens(&token.sha256()));
    }

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", AccessToken::sent("secret")), "AccessToken");
    }
}
