//! Calls to Descope's management API.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    As, Channel, Descope, Repeat, SignedIn, User,
    calls::signed_in,
    failure::{Failure, Meaning},
};
use crate::{Error, Result, email::Email};

/// A user in an answer of the management API.
#[derive(Deserialize)]
struct Wrapped {
    user: User,
}

/// Managing users.
impl Descope {
    /// The user with this id, `U…`.
    pub async fn user(&self, user_id: &str) -> Result<Option<User>> {
        self.load(&[("userId", user_id)]).await
    }

    pub async fn user_with_login_id(&self, login_id: &str) -> Result<Option<User>> {
        self.load(&[("loginId", login_id)]).await
    }

    async fn load(&self, query: &[(&str, &str)]) -> Result<Option<User>> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let path = format!("/v1/mgmt/user?{query}");
        found(self.get::<Wrapped>(&path, As::Manager).await.map(|wrapped| wrapped.user))
    }

    /// Creates a user with these roles, whose address counts as verified because a deployer vouches for it; `None` if
    /// there is one already.
    pub async fn create_user(&self, email: &Email, roles: &[&str]) -> Result<Option<User>> {
        let body = json!({
            "loginId": email.as_str(), "email": email.as_str(), "verifiedEmail": true, "roleNames": roles,
            // Anyone could sign up as a user who is only invited.
            "status": "enabled",
        });
        let created = self.post::<Wrapped>("/v1/mgmt/user/create", As::Manager, &body, Repeat::IfUnsent).await;
        match created {
            Err(Failure::Refused(refusal)) if refusal.is_taken() => Ok(None),
            created => Ok(Some(created.map_err(|failure| failure.means(Meaning::Nothing))?.user)),
        }
    }

    /// Changes the given fields of a user, under Descope's names.
    pub async fn patch_user(&self, login_id: &str, fields: &Value) -> Result<User> {
        let mut body = fields.clone();
        if let Value::Object(body) = &mut body {
            body.insert("loginId".to_owned(), json!(login_id));
        }
        let request = self.request(Method::PATCH, "/v1/mgmt/user/patch").json(&body);
        let patched: Result<Wrapped, _> = self.call(request, As::Manager, Repeat::Safely).await;
        Ok(patched.map_err(|failure| failure.means(Meaning::Nothing))?.user)
    }

    /// Gives a user exactly these roles.
    pub async fn set_roles(&self, login_id: &str, roles: &[&str]) -> Result<User> {
        let body = json!({ "loginId": login_id, "roleNames": roles });
        let set = self.post::<Wrapped>("/v1/mgmt/user/update/role/set", As::Manager, &body, Repeat::Safely).await;
        Ok(set.map_err(|failure| failure.means(Meaning::Nothing))?.user)
    }

    /// Replaces a user's password and ends all the user's sessions: the holder of a refresh token could have changed
    /// the old one.
    pub async fn reset_password(&self, user_id: &str, password: &SecretString) -> Result<()> {
        let set = self.set_password(user_id, password).await;
        set.map_err(|failure| failure.means(Meaning::Password("new_password")))?;
        self.log_out_user(user_id).await
    }

    /// Sets an unknown random password for a user, if there is one, and ends all the user's sessions. Merely expiring
    /// the password would let anyone who knows it replace it.
    pub async fn forget_password(&self, user_id: &str) -> Result<()> {
        found(self.set_password(user_id, &random_password()?).await)?;
        self.log_out_user(user_id).await
    }

    async fn set_password(&self, login_id: &str, password: &SecretString) -> Result<Value, Failure> {
        let body = json!({ "loginId": login_id, "password": password.expose_secret() });
        self.post("/v1/mgmt/user/password/set/active", As::Manager, &body, Repeat::Safely).await
    }

    /// Takes a login id from a user, and the number or address that is the same, who keeps the other ways in.
    pub async fn take_login_id(&self, user: &User, channel: Channel, login_id: &str) -> Result<()> {
        let body = json!({ "loginId": login_id, "newLoginId": "" });
        found(self.post::<Value>("/v1/mgmt/user/update/loginid", As::Manager, &body, Repeat::Safely).await)?;
        let (address, path) = match channel {
            Channel::Sms => ("phone", "/v1/mgmt/user/update/phone"),
            Channel::Email => ("email", "/v1/mgmt/user/update/email"),
        };
        let body = json!({ "loginId": user.user_id, address: "", "verified": false });
        found(self.post::<Value>(path, As::Manager, &body, Repeat::Safely).await).map(drop)
    }

    /// Creates a user whose only way in is a proved login id: with roles, but without a session, another login id, a
    /// password or a passkey.
    pub async fn create_proved(&self, channel: Channel, login_id: &str, roles: &[String]) -> Result<User> {
        let (address, is_verified) = match channel {
            Channel::Sms => ("phone", "verifiedPhone"),
            Channel::Email => ("email", "verifiedEmail"),
        };
        let body = json!({
            "loginId": login_id, address: login_id, is_verified: true, "roleNames": roles, "status": "enabled",
        });
        let created = self.post::<Wrapped>("/v1/mgmt/user/create", As::Manager, &body, Repeat::IfUnsent).await;
        Ok(created.map_err(|failure| failure.means(Meaning::Nothing))?.user)
    }

    /// Signs a user in without a credential: the user must have proved the login id before.
    pub async fn sign_in_as(&self, login_id: &str) -> Result<SignedIn> {
        #[derive(Deserialize)]
        struct Link {
            token: SecretString,
        }
        let body = json!({ "loginId": login_id });
        let link = self.post::<Link>("/v1/mgmt/user/signin/embeddedlink", As::Manager, &body, Repeat::Safely).await;
        let link = link.map_err(|failure| failure.means(Meaning::Nothing))?;
        let body = json!({ "token": link.token.expose_secret() });
        signed_in(self.post("/v1/auth/magiclink/verify", As::Anyone, &body, Repeat::IfUnsent).await, Meaning::Nothing)
    }

    /// Ends all sessions of a user, if there is one.
    pub async fn log_out_user(&self, user_id: &str) -> Result<()> {
        let body = json!({ "userId": user_id, "loginId": "" });
        found(self.post::<Value>("/v1/mgmt/user/logout", As::Manager, &body, Repeat::Safely).await).map(drop)
    }

    /// Deletes a user, if there is one.
    pub async fn delete_user(&self, user_id: &str) -> Result<()> {
        let body = json!({ "userId": user_id });
        found(self.post::<Value>("/v1/mgmt/user/delete", As::Manager, &body, Repeat::Safely).await).map(drop)
    }
}

/// 288 random bits, with all four kinds of characters that a project may require, within Descope's 64 characters.
fn random_password() -> Result<SecretString> {
    let mut bytes = [0; 36];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("aA1!{}", STANDARD_NO_PAD.encode(bytes)).into())
}

/// The answer; `None` if there is no such user.
fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>> {
    match answer {
        Ok(user) => Ok(Some(user)),
        Err(Failure::Refused(refusal)) if refusal.is_unknown_user() => Ok(None),
        Err(failure) => Err(failure.means(Meaning::Nothing)),
    }
}
