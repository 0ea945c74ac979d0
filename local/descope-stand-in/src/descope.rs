//! The stand-in as tests hold it, beside what they can do to any.

use std::time::Duration;

use serde_json::Value;
use stand_in::Shared;

use crate::{MANAGEMENT_KEY, Message, PROJECT_ID, Settings, sessions, state::State, tokens::Key};

/// What Descope knows.
#[derive(Debug)]
pub struct Descope {
    pub(crate) shared: Shared<State>,
}

impl Descope {
    /// The id of the only project.
    pub fn project_id(&self) -> &'static str {
        PROJECT_ID
    }

    /// The management key of the project.
    pub fn management_key(&self) -> &'static str {
        MANAGEMENT_KEY
    }

    /// Changes the settings, from the next call on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.look().settings);
    }

    /// Puts the stand-in's clock forward: codes, links and tokens expire without a wait.
    pub fn advance(&self, by: Duration) {
        self.shared.look().clock.advance(by);
    }

    /// Signs with a new key from now on. The old one stays published, or its tokens are no good any more.
    pub fn rotate_key(&self, keeps_old: bool) {
        let key = Key::generate();
        self.shared.keep(|state| state.keys.rotate(key, keeps_old));
    }

    /// What would have been sent to this address, newest first.
    pub fn inbox(&self, to: &str) -> Vec<Message> {
        self.shared.look().inbox.to(Some(to))
    }

    /// A token with any header and claims, signed by the present key with RS256 whatever the header says.
    #[expect(clippy::needless_pass_by_value, reason = "so that a call can be written with two json!(…)")]
    pub fn sign(&self, header: Value, claims: Value) -> String {
        self.shared.look().keys.sign(&header, &claims)
    }

    /// The id of the present key.
    pub fn kid(&self) -> String {
        self.shared.look().keys.kid().to_owned()
    }

    /// The present public key in PEM.
    pub fn public_key(&self) -> Vec<u8> {
        self.shared.look().keys.present().public_pem().into_bytes()
    }

    /// The claims of a good session token of this user, who need not exist.
    pub fn session_claims(&self, user_id: &str) -> Value {
        sessions::sample_claims(&self.shared.look(), user_id)
    }

    /// The user with this login id, as the API shows it.
    pub fn user(&self, login_id: &str) -> Option<Value> {
        self.shared.look().users.by_login_id(login_id).map(crate::users::User::to_json)
    }

    /// Gives the user with this login id these roles, known or not. Does nothing if there is no such user.
    pub fn set_roles(&self, login_id: &str, roles: &[&str]) {
        self.shared.keep(|state| {
            if let Some(user) = state.users.by_login_id_mut(login_id) {
                user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
            }
        });
    }
}
