//! Authenticated encryption of database values: AES-256-GCM of AWS-LC, with a random nonce in front.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

/// A key that encrypts (seals) and decrypts (opens). Opening needs the context that sealed, e.g. the owner's id.
pub(crate) struct Sealer(RandomizedNonceKey);

/// Sealing or opening failed: another key, another context, or a changed byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, Broken> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| Broken)
    }

    pub(crate) fn seal(&self, text: &[u8], context: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut encrypted = text.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut encrypted).map_err(|_| Broken)?;
        Ok([nonce.as_ref().as_slice(), &encrypted].concat())
    }

    pub(crate) fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, Broken> {
        let (nonce, encrypted) = sealed.split_at_checked(NONCE_LEN).ok_or(Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Broken)?;
        let mut encrypted = encrypted.to_vec();
        let text = self.0.open_in_place(nonce, Aad::from(context), &mut encrypted).map_err(|_| Broken)?;
        Ok(text.to_vec())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Sealer};

    #[test]
    fn values_sealed_by_earlier_releases_still_open() {
        // Sealed by the aes-gcm crate: nonce, ciphertext, tag.
        let sealed = [
            7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 249, 156, 129, 193, 97, 0, 238, 34, 58, 113, 74, 181, 68, 228, 169,
            176, 166, 12, 11, 242, 171,
        ];
        assert_eq!(Sealer::new(&[1; 32]).unwrap().open(&sealed, b"U1").unwrap(), b"token");
    }

    #[test]
    fn only_the_same_key_and_context_open() {
        let key = Sealer::new(&[1; 32]).unwrap();
        let sealed = key.seal(b"token", b"U1").unwrap();
        assert_eq!(key.open(&sealed, b"U1").unwrap(), b"token");
        assert_ne!(sealed, key.seal(b"token", b"U1").unwrap(), "a nonce is never used twice");
        assert_eq!(key.open(&sealed, b"U2"), Err(Broken));
        assert_eq!(Sealer::new(&[2; 32]).unwrap().open(&sealed, b"U1"), Err(Broken));
        for length in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..length], b"U1"), Err(Broken));
        }
    }
}
