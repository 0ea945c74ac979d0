//! Signing keys, signed tokens, and the published key set.
#![expect(clippy::expect_used, reason = "keys that were just made or checked can be encoded and used")]

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::random;

/// A signing key with the id under which it is published.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "StoredKey", try_from = "StoredKey")]
pub(crate) struct Key {
    kid: String,
    pair: Arc<RsaKeyPair>,
}

/// A key as stored in the state file.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    pkcs8: String,
}

impl From<Key> for StoredKey {
    fn from(key: Key) -> Self {
        let pkcs8 = key.pair.as_der().expect("a key can be encoded");
        Self { kid: key.kid, pkcs8: BASE64_STANDARD.encode(pkcs8.as_ref()) }
    }
}

impl TryFrom<StoredKey> for Key {
    type Error = String;

    fn try_from(stored: StoredKey) -> Result<Self, String> {
        let pkcs8 = BASE64_STANDARD.decode(stored.pkcs8).map_err(|error| error.to_string())?;
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|error| error.to_string())?;
        Ok(Self { kid: stored.kid, pair: Arc::new(pair) })
    }
}

impl Key {
    /// Generates a key; this is slow.
    pub(crate) fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
        Self { kid: random::id("SK"), pair: Arc::new(pair) }
    }

    /// The first key of a stand-in. All of a process share it, under different ids, because generating one is slow.
    pub(crate) fn first() -> Self {
        static FIRST: OnceLock<Key> = OnceLock::new();
        Self { kid: random::id("SK"), pair: Arc::clone(&FIRST.get_or_init(Self::generate).pair) }
    }

    pub(crate) fn public_pem(&self) -> String {
        let der = self.pair.public_key().as_der().expect("a public key can be encoded");
        let base64 = BASE64_STANDARD.encode(der.as_ref());
        let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// The public key as a member of the key set.
    fn public_jwk(&self) -> Value {
        // With 2048 bits and exponent 65537, PKCS #1 has a fixed layout: 9 bytes, the modulus, 2 bytes, the exponent.
        let der = self.pair.public_key().as_ref();
        let base64 =
            |bytes| BASE64_URL_SAFE_NO_PAD.encode(der.get::<std::ops::Range<usize>>(bytes).unwrap_or_default());
        json!({"alg": "RS256", "e": base64(267..270), "kid": self.kid, "kty": "RSA", "n": base64(9..265), "use": "sig"})
    }
}

/// The keys of the project.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keys {
    present: Key,
    old: Vec<Key>,
}

impl Keys {
    pub(crate) fn new(present: Key) -> Self {
        Self { present, old: Vec::new() }
    }

    /// Switches to this signing key. Tokens of the older keys stay valid only with `keeps_old`.
    pub(crate) fn rotate(&mut self, next: Key, keeps_old: bool) {
        let previous = std::mem::replace(&mut self.present, next);
        if keeps_old {
            self.old.push(previous);
        } else {
            self.old.clear();
        }
    }

    /// The current signing key.
    pub(crate) fn present(&self) -> &Key {
        &self.present
    }

    /// Id of the current signing key.
    pub(crate) fn kid(&self) -> &str {
        &self.present.kid
    }

    /// All keys whose tokens are valid.
    pub(crate) fn published(&self) -> Value {
        std::iter::once(&self.present).chain(&self.old).map(Key::public_jwk).collect()
    }

    /// Signs a token with the default header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "RS256", "kid": self.kid(), "typ": "JWT"}), claims)
    }

    /// Signs a token with any header by the current key.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.present.pair.public_modulus_len()];
        self.present
            .pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("a key can sign");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The claims of a token signed by a published key. The caller must check whether it has expired.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        if header.get("alg")? != "RS256" {
            return None;
        }
        let kid = header.get("kid")?.as_str()?;
        let key = std::iter::once(&self.present).chain(&self.old).find(|key| key.kid == kid)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &decode(signature)?)
            .ok()?;
        serde_json::from_slice(&decode(claims)?).ok()
    }
}
