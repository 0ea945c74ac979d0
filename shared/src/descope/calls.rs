//! The calls: what is sent, what comes back, and whether it may be sent again.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    As, Descope, Repeat, SignedIn, User,
    failure::{Failure, Meaning, SERVICE},
};
use crate::{Error, Result, email::Email};

/// How a one-time code is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// To a phone number.
    Sms,
    /// To an e-mail address.
    Email,
}

impl Channel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// Rules of the project for passwords.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "so Descope has it")]
struct Policy {
    min_length: usize,
    lowercase: bool,
    uppercase: bool,
    number: bool,
    non_alphanumeric: bool,
}

/// The one key under which the management API answers with a user.
#[derive(Deserialize)]
struct Wrapped {
    user: User,
}

/// Signing in.
impl Descope {
    /// Makes a user who signs in with this e-mail address and password; `None` if the address is taken. The address
    /// is not verified by that.
    pub async fn sign_up(
        &self,
        email: &Email,
        password: &SecretString,
        (first_name, last_name): (&str, &str),
    ) -> Result<Option<SignedIn>> {
        let name = format!("{first_name} {last_name}");
        let body = json!({
            "loginId": email.as_str(), "password": password.expose_secret(),
            "user": { "email": email.as_str(), "givenName": first_name, "familyName": last_name, "name": name.trim() },
        });
        match self.post("/v1/auth/password/signup", As::Anyone, &body, Repeat::IfUnsent).await {
            Err(Failure::Refused(refusal)) if refusal.is_taken() => Ok(None),
            answer => signed_in(answer, Meaning::Password("password")).map(Some),
        }
    }

    /// Signs in with a password. Tells no difference between a wrong password and an unknown login id.
    pub async fn sign_in(&self, login_id: &str, password: &SecretString) -> Result<SignedIn> {
        let body = json!({ "loginId": login_id, "password": password.expose_secret() });
        signed_in(
            self.post("/v1/auth/password/signin", As::Anyone, &body, Repeat::IfUnsent).await,
            Meaning::Credentials,
        )
    }

    /// Sends a one-time code to a number or address, to whoever has it; a first code makes a user of them.
    pub async fn send_code(&self, channel: Channel, login_id: &str) -> Result<()> {
        let path = format!("/v1/auth/otp/signup-in/{}", channel.as_str());
        let body = json!({ "loginId": login_id });
        // Never twice: each message costs, and kills the code of the one before.
        let sent: Result<Value, _> = self.post(&path, As::Anyone, &body, Repeat::IfUnsent).await;
        sent.map(drop).map_err(|failure| failure.means(Meaning::Recipient))
    }

    /// Signs in with a one-time code, which proves the number or address.
    pub async fn verify_code(&self, channel: Channel, login_id: &str, code: &str) -> Result<SignedIn> {
        let path = format!("/v1/auth/otp/verify/{}", channel.as_str());
        let body = json!({ "loginId": login_id, "code": code });
        signed_in(self.post(&path, As::Anyone, &body, Repeat::IfUnsent).await, Meaning::Code)
    }

    /// Sends the mail with which a user whose address is verified sets a new password; `false` if Descope refuses, as
    /// it may for an address that it does not know.
    pub async fn send_reset_mail(&self, email: &Email, page: &str) -> Result<bool> {
        let body = json!({ "loginId": email.as_str(), "redirectUrl": page });
        sent(self.post("/v1/auth/password/reset", As::Anyone, &body, Repeat::IfUnsent).await)
    }

    /// Sends a mail that signs its reader in, to a user who exists; `false` if Descope refuses.
    pub async fn send_magic_link(&self, email: &Email, page: &str) -> Result<bool> {
        let body = json!({ "loginId": email.as_str(), "redirectUrl": page, "URI": page });
        sent(self.post("/v1/auth/magiclink/signin/email", As::Anyone, &body, Repeat::IfUnsent).await)
    }

    /// Signs in with the `t` of a link that was mailed, which proves the address. A link works once.
    pub async fn verify_link(&self, token: &SecretString) -> Result<SignedIn> {
        let body = json!({ "token": token.expose_secret() });
        signed_in(self.post("/v1/auth/magiclink/verify", As::Anyone, &body, Repeat::IfUnsent).await, Meaning::Link)
    }
}

/// Being signed in.
impl Descope {
    /// A new session token for a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn> {
        // Where refresh tokens rotate, a second call with the first token would end the session.
        let answer = self.post("/v1/auth/refresh", As::Holder(refresh_token), &json!({}), Repeat::IfUnsent).await;
        signed_in(answer, Meaning::RefreshToken)
    }

    /// Ends the session of a refresh token, if it has not ended yet.
    pub async fn log_out(&self, refresh_token: &str) -> Result<()> {
        ended(self.post("/v1/auth/logout", As::Holder(refresh_token), &json!({}), Repeat::Safely).await)
    }

    /// Ends all sessions of the refresh token's user.
    pub async fn log_out_everywhere(&self, refresh_token: &str) -> Result<()> {
        ended(self.post("/v1/auth/logoutall", As::Holder(refresh_token), &json!({}), Repeat::Safely).await)
    }

    /// The user of a refresh token.
    pub async fn me(&self, refresh_token: &str) -> Result<User> {
        let user = self.get("/v1/auth/me", As::Holder(refresh_token)).await;
        user.map_err(|failure| failure.means(Meaning::RefreshToken))
    }

    /// Sets the password of the refresh token's user, who need not know the old one.
    pub async fn update_password(&self, refresh_token: &str, login_id: &str, password: &SecretString) -> Result<()> {
        let body = json!({ "loginId": login_id, "newPassword": password.expose_secret() });
        let caller = As::Holder(refresh_token);
        let updated: Result<Value, _> = self.post("/v1/auth/password/update", caller, &body, Repeat::Safely).await;
        updated.map(drop).map_err(|failure| failure.means(Meaning::Password("new_password")))
    }

    /// What is wrong with a new password by the project's rules; nothing if it may be tried.
    pub async fn password_faults(&self, password: &SecretString) -> Vec<String> {
        // Descope looks again when the password is set, so that a failure here may be passed over.
        let policy: Policy = self.get("/v1/auth/password/policy", As::Anyone).await.unwrap_or_default();
        policy.faults(password.expose_secret())
    }
}

impl Policy {
    fn faults(&self, password: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if password.chars().count() < self.min_length {
            faults.push(format!("Ensure this field has at least {} characters.", self.min_length));
        }
        let mut needs = |is_needed: bool, what: &str, is_one: fn(char) -> bool| {
            if is_needed && !password.contains(is_one) {
                faults.push(format!("Ensure this field has {what}."));
            }
        };
        needs(self.lowercase, "a lowercase letter", char::is_lowercase);
        needs(self.uppercase, "an uppercase letter", char::is_uppercase);
        needs(self.number, "a digit", |character| character.is_ascii_digit());
        needs(self.non_alphanumeric, "a special character", |character| !character.is_alphanumeric());
        faults
    }
}

/// Managing users.
impl Descope {
    /// The user with this id, `U…`.
    pub async fn user(&self, user_id: &str) -> Result<Option<User>> {
        self.load(&[("userId", user_id)]).await
    }

    /// The user who signs in with this.
    pub async fn user_with_login_id(&self, login_id: &str) -> Result<Option<User>> {
        self.load(&[("loginId", login_id)]).await
    }

    async fn load(&self, query: &[(&str, &str)]) -> Result<Option<User>> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let path = format!("/v1/mgmt/user?{query}");
        found(self.get::<Wrapped>(&path, As::Manager).await.map(|wrapped| wrapped.user))
    }

    /// Makes a user with these roles, whose address counts as verified because a deployer vouches for it; `None` if
    /// there is one already.
    pub async fn create_user(&self, email: &Email, roles: &[&str]) -> Result<Option<User>> {
        let body = json!({
            "loginId": email.as_str(), "email": email.as_str(), "verifiedEmail": true, "roleNames": roles,
            // Whom nobody has been yet, anybody could sign up as.
            "status": "enabled",
        });
        let created = self.post::<Wrapped>("/v1/mgmt/user/create", As::Manager, &body, Repeat::IfUnsent).await;
        match created {
            Err(Failure::Refused(refusal)) if refusal.is_taken() => Ok(None),
            created => Ok(Some(created.map_err(|failure| failure.means(Meaning::Nothing))?.user)),
        }
    }

    /// Changes those fields of a user that are given, under Descope's names.
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

    /// Gives a user a password in the place of any other, and ends all the user's sessions: whoever held a refresh token
    /// could have changed it.
    pub async fn reset_password(&self, user_id: &str, password: &SecretString) -> Result<()> {
        let set = self.set_password(user_id, password).await;
        set.map_err(|failure| failure.means(Meaning::Password("new_password")))?;
        self.log_out_user(user_id).await
    }

    /// Makes the password of a user, if there is one, unknown to everybody, and ends all the user's sessions. Merely
    /// expiring it would let whoever knows it replace it.
    pub async fn forget_password(&self, user_id: &str) -> Result<()> {
        found(self.set_password(user_id, &random_password()?).await)?;
        self.log_out_user(user_id).await
    }

    async fn set_password(&self, login_id: &str, password: &SecretString) -> Result<Value, Failure> {
        let body = json!({ "loginId": login_id, "password": password.expose_secret() });
        self.post("/v1/mgmt/user/password/set/active", As::Manager, &body, Repeat::Safely).await
    }

    /// Puts a new user in the place of one, with one way in: a login id that has been proved. Of the old user nothing
    /// stays but the roles: no session, no other login id, number, password or passkey.
    pub async fn replace_user(&self, old: &User, channel: Channel, login_id: &str) -> Result<User> {
        self.delete_user(&old.user_id).await?;
        let (address, is_verified) = match channel {
            Channel::Sms => ("phone", "verifiedPhone"),
            Channel::Email => ("email", "verifiedEmail"),
        };
        let body = json!({
            "loginId": login_id, address: login_id, is_verified: true, "roleNames": old.role_names, "status": "enabled",
        });
        let created = self.post::<Wrapped>("/v1/mgmt/user/create", As::Manager, &body, Repeat::IfUnsent).await;
        Ok(created.map_err(|failure| failure.means(Meaning::Nothing))?.user)
    }

    /// Signs a user in whom we know to be there.
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

/// 288 random bits, with all four kinds of characters that a project may ask for, within Descope's 64.
fn random_password() -> Result<SecretString> {
    let mut bytes = [0; 36];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("aA1!{}", STANDARD_NO_PAD.encode(bytes)).into())
}

/// An answer with tokens and a user; nothing less will do.
fn signed_in(answer: Result<SignedIn, Failure>, meaning: Meaning) -> Result<SignedIn> {
    let signed_in = answer.map_err(|failure| failure.means(meaning))?;
    if signed_in.session_jwt.is_empty() {
        // A project that "manages tokens in cookies" answers so.
        let reason = "no session token in the body of an answer".to_owned();
        return Err(Error::Upstream { service: SERVICE, reason });
    }
    Ok(signed_in)
}

/// A user, or that there is none.
fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>> {
    match answer {
        Ok(user) => Ok(Some(user)),
        Err(Failure::Refused(refusal)) if refusal.is_unknown_user() => Ok(None),
        Err(failure) => Err(failure.means(Meaning::Nothing)),
    }
}

/// A message, whether or not Descope found somebody to send it to.
fn sent(answer: Result<Value, Failure>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(Failure::Refused(refusal)) => {
            tracing::info!(status = refusal.status.as_u16(), code = refusal.code, "Descope sent no mail");
            Ok(false)
        }
        Err(failure) => Err(failure.means(Meaning::Nothing)),
    }
}

/// A session that is over, now or before.
fn ended(answer: Result<Value, Failure>) -> Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) if refusal.has_ended() => Ok(()),
        Err(failure) => Err(failure.means(Meaning::Nothing)),
    }
}

#[cfg(test)]
mod tests {
    use super::Policy;

    #[test]
    fn a_password_is_held_to_the_rules_of_the_project() {
        let strict = Policy { min_length: 8, lowercase: true, uppercase: true, number: true, non_alphanumeric: true };
        assert_eq!(strict.faults("Passw0rd!"), [""; 0]);
        assert_eq!(
            strict.faults("short"),
            [
                "Ensure this field has at least 8 characters.",
                "Ensure this field has an uppercase letter.",
                "Ensure this field has a digit.",
                "Ensure this field has a special character.",
            ]
        );
        assert_eq!(Policy::default().faults(""), [""; 0]);
    }
}
