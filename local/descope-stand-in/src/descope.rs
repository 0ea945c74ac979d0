//! Test API of the stand-in, besides that of every [`stand_in::StandIn`].

use std::time::Duration;

use serde_json::Value;
use stand_in::Shared;

use crate::{MANAGEMENT_KEY, Message, PROJECT_ID, Settings, sessions, state::State, tokens::Key};

/// The Descope service of a stand-in.
#[derive(Debug)]
pub struct Descope {
    pub(crate) shared: Shared<State>,
}

impl Descope {
    pub fn project_id(&self) -> &'static str {
        PROJECT_ID
    }

    pub fn management_key(&self) -> &'static str {
        MANAGEMENT_KEY
    }

    /// Changes the settings for all later calls.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.look().settings);
    }

    /// Advances the stand-in's clock, so that codes, links and tokens expire without a wait.
    pub fn advance(&self, by: Duration) {
        self.shared.look().clock.advance(by);
    }

    /// Switches to a new signing key. With `keeps_old` the old keys stay published; without, their tokens are invalid.
    pub fn rotate_key(&self, keeps_old: bool) {
        let key = Key::generate();
        self.shared.keep(|state| state.keys.rotate(key, keeps_old));
    }

    /// Messages to this address, newest first.
    pub fn inbox(&self, to: &str) -> Vec<Message> {
        self.shared.look().inbox.to(Some(to))
    }

    /// A token with any header and claims, signed by the current key. The algorithm is RS256, even if the header names
    /// another.
    #[expect(clippy::needless_pass_by_value, reason = "so that a call can be written with two json!(…)")]
    pub fn sign(&self, header: Value, claims: Value) -> String {
        self.shared.look().keys.sign(&header, &claims)
    }

    /// Id of the current signing key.
    pub fn kid(&self) -> String {
        self.shared.look().keys.kid().to_owned()
    }

    /// Current public key in PEM.
    pub fn public_key(&self) -> Vec<u8> {
        self.shared.look().keys.present().public_pem().into_bytes()
    }

    /// Claims of a valid session token of this user, who need not exist.
    pub fn session_claims(&self, user_id: &str) -> Value {
        sessions::sample_claims(&self.shared.look(), user_id)
    }

    /// The user with this login id, as the API shows it.
    pub fn user(&self, login_id: &str) -> Option<Value> {
        self.shared.look().users.by_login_id(login_id).map(crate::users::User::to_json)
    }

    /// Sets the roles of a user, without checking that the roles exist. Does nothing if the user does not exist.
    pub fn set_roles(&self, login_id: &str, roles: &[&str]) {
        self.shared.keep(|state| {
            if let Some(user) = state.users.by_login_id_mut(login_id) {
                user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
            }
        });
    }
}
