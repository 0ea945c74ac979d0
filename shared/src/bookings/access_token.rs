//! The access token of a booking, proof of ownership: shown once, stored as a hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Result};

/// A booking's access token, or the token of a link to it, in base64url.
pub struct AccessToken(String);

impl AccessToken {
    /// An access token: 256 random bits.
    pub fn generate() -> Result<Self> {
        Self::random::<32>()
    }

    /// The token of a link: 128 random bits, since an SMS has little room.
    pub fn of_link() -> Result<Self> {
        Self::random::<16>()
    }

    fn random<const BYTES: usize>() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token as a caller sent it, not yet verified.
    pub fn sent(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the response to the creation.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Compares the token with a stored hash, in constant time.
    pub fn opens(&self, sha256: &[u8]) -> bool {
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
    fn only_the_same_token_matches_its_hash() {
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
