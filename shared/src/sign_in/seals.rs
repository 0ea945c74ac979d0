//! Encryption of refresh tokens at rest, so that a copy of the database cannot be used to sign in.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Error, Result,
    config::{self, Live, Settings},
    sealed::{Broken, Sealer},
};

/// The keys that seal refresh tokens. An envelope is the length of the key's id, the id, and the token sealed for its
/// Descope user.
#[derive(Clone)]
pub struct Seals {
    keys: Live<Keys>,
}

/// The first one seals.
type Keys = Vec<(String, Arc<Sealer>)>;

impl Seals {
    /// Reads `REFRESH_TOKEN_KEYS`: `id:base64 of 32 bytes`, separated by commas. The first key seals and all of them
    /// open: to rotate, put a new key in front.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let keys = settings.live(|values| {
            parse(&values.required(config::REFRESH_TOKEN_KEYS)?).ok_or(config::REFRESH_TOKEN_KEYS.invalid())
        })?;
        Ok(Self { keys })
    }

    /// Parses keys in the format of `REFRESH_TOKEN_KEYS`; `None` if they are malformed.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(|keys| Self { keys: Live::fixed(keys) })
    }

    /// Seals a refresh token of a Descope user, or another text for what it belongs to.
    pub fn seal(&self, token: &str, descope_user_id: &str) -> Result<Vec<u8>> {
        let keys = self.keys.get()?;
        let (id, key) = keys.first().ok_or(Broken).map_err(broken)?;
        let sealed = key.seal(token.as_bytes(), descope_user_id.as_bytes()).map_err(broken)?;
        let length = u8::try_from(id.len()).map_err(Error::internal)?;
        Ok([&[length], id.as_bytes(), &sealed].concat())
    }

    /// Whether these bytes were sealed here for this owner: tells a stranger's invention without asking Postgres.
    pub async fn has_sealed(&self, envelope: &[u8], owner: &str) -> Result<bool> {
        self.keys.get()?;
        Ok(self.open(envelope, owner).await.is_ok())
    }

    /// Opens a refresh token that was sealed for this Descope user.
    pub(super) async fn open(&self, envelope: &[u8], descope_user_id: &str) -> Result<String> {
        let (length, rest) = envelope.split_first().ok_or(Broken).map_err(broken)?;
        let (id, sealed) = rest.split_at_checked(usize::from(*length)).ok_or(Broken).map_err(broken)?;
        let key_of =
            |keys: &Keys| keys.iter().find(|(known, _)| known.as_bytes() == id).map(|(_, key)| Arc::clone(key));
        let keys = self.keys.get()?;
        let key = match key_of(&keys) {
            // Another environment may have sealed with a newer key than ours.
            None => self.keys.instead_of(&keys).await.and_then(|newer| key_of(&newer)),
            known => known,
        };
        let key = key.ok_or(Broken).map_err(broken)?;
        let token = key.open(sealed, descope_user_id.as_bytes()).map_err(broken)?;
        String::from_utf8(token).map_err(Error::internal)
    }
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seals")
    }
}

fn parse(text: &str) -> Option<Keys> {
    let key = |item: &str| {
        let (id, key) = item.trim().split_once(':')?;
        let bytes: [u8; 32] = STANDARD.decode(key.trim()).ok()?.try_into().ok()?;
        let id_fits = (1..=255).contains(&id.len());
        id_fits.then_some((id.to_owned(), Arc::new(Sealer::new(&bytes).ok()?)))
    };
    text.split(',').map(key).collect()
}

fn broken(_: Broken) -> Error {
    Error::internal("a refresh token could not be sealed or opened")
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::Seals;

    fn key(id: &str, byte: u8) -> String {
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    #[tokio::test]
    async fn after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() {
        let old = Seals::parse(&key("old", 1)).unwrap();
        let both = Seals::parse(&format!("{}, {}", key("new", 2), key("old", 1))).unwrap();
        let new = Seals::parse(&key("new", 2)).unwrap();
        let before = old.seal("token", "U1").unwrap();
        assert_eq!(both.open(&before, "U1").await.unwrap(), "token");
        let after = both.seal("token", "U1").unwrap();
        assert_eq!(new.open(&after, "U1").await.unwrap(), "token");
        assert!(old.open(&after, "U1").await.is_err());
        assert!(new.open(&before, "U1").await.is_err());
    }

    #[tokio::test]
    async fn an_envelope_opens_only_unchanged_and_for_its_user() {
        let seals = Seals::parse(&key("k", 1)).unwrap();
        let envelope = seals.seal("token", "U1").unwrap();
        assert_ne!(envelope, seals.seal("token", "U1").unwrap(), "no two envelopes are alike");
        assert!(seals.open(&envelope, "U2").await.is_err());
        for length in 0..envelope.len() {
            assert!(seals.open(&envelope[..length], "U1").await.is_err());
        }
        for index in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[index] ^= 1;
            assert!(seals.open(&changed, "U1").await.is_err(), "byte {index}");
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        let short = format!("k:{}", STANDARD.encode([1; 16]));
        for text in ["", "k", "k:", ":AAAA", "k:not base64", &short, &format!("{},", key("k", 1))] {
            assert!(Seals::parse(text).is_none(), "{text}");
        }
    }
}
