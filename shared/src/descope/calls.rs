//! Calls to Descope for a caller: signing in, and the caller's sessions.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    As, Channel, Descope, Repeat, SignedIn, User,
    failure::{Failure, Meaning, SERVICE},
};
use crate::{Error, Result, email::Email};

/// The project's password policy.
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

/// Signing in.
impl Descope {
    /// Creates a user who signs in with this e-mail address and password; `None` if the address is taken. The address
    /// stays unverified.
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

    /// Signs in with a password. A wrong password and an unknown login id give the same error.
    pub async fn sign_in(&self, login_id: &str, password: &SecretString) -> Result<SignedIn> {
        let body = json!({ "loginId": login_id, "password": password.expose_secret() });
        signed_in(
            self.post("/v1/auth/password/signin", As::Anyone, &body, Repeat::IfUnsent).await,
            Meaning::Credentials,
        )
    }

    /// Sends a one-time code to any phone number or e-mail address; the first code creates the user.
    pub async fn send_code(&self, channel: Channel, login_id: &str) -> Result<()> {
        let path = format!("/v1/auth/otp/signup-in/{}", channel.as_str());
        let body = json!({ "loginId": login_id });
        // At most once: each message costs money and invalidates the previous code.
        let sent: Result<Value, _> = self.post(&path, As::Anyone, &body, Repeat::IfUnsent).await;
        sent.map(drop).map_err(|failure| failure.means(Meaning::Recipient))
    }

    /// Signs in with a one-time code, which proves the number or address.
    pub async fn verify_code(&self, channel: Channel, login_id: &str, code: &str) -> Result<SignedIn> {
        let path = format!("/v1/auth/otp/verify/{}", channel.as_str());
        let body = json!({ "loginId": login_id, "code": code });
        signed_in(self.post(&path, As::Anyone, &body, Repeat::IfUnsent).await, Meaning::Code)
    }

    /// Sends a mail to set a new password, to a user whose address is verified; `false` if Descope refuses, as it may
    /// for an unknown address.
    pub async fn send_reset_mail(&self, email: &Email, page: &str) -> Result<bool> {
        let body = json!({ "loginId": email.as_str(), "redirectUrl": page });
        sent(self.post("/v1/auth/password/reset", As::Anyone, &body, Repeat::IfUnsent).await)
    }

    /// Sends a mail with a link to sign in, to an existing user; `false` if Descope refuses.
    pub async fn send_magic_link(&self, email: &Email, page: &str) -> Result<bool> {
        let body = json!({ "loginId": email.as_str(), "redirectUrl": page, "URI": page });
        sent(self.post("/v1/auth/magiclink/signin/email", As::Anyone, &body, Repeat::IfUnsent).await)
    }

    /// Signs in with the `t` of a mailed link, which proves the address. A link works once.
    pub async fn verify_link(&self, token: &SecretString) -> Result<SignedIn> {
        let body = json!({ "token": token.expose_secret() });
        signed_in(self.post("/v1/auth/magiclink/verify", As::Anyone, &body, Repeat::IfUnsent).await, Meaning::Link)
    }
}

/// Sessions.
impl Descope {
    /// A new session token for a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn> {
        // At most once: where refresh tokens rotate, a second call with the old token would end the session.
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

    /// Sets the password of the refresh token's user, without the old one.
    pub async fn update_password(&self, refresh_token: &str, login_id: &str, password: &SecretString) -> Result<()> {
        let body = json!({ "loginId": login_id, "newPassword": password.expose_secret() });
        let caller = As::Holder(refresh_token);
        let updated: Result<Value, _> = self.post("/v1/auth/password/update", caller, &body, Repeat::Safely).await;
        updated.map(drop).map_err(|failure| failure.means(Meaning::Password("new_password")))
    }

    /// The faults of a new password by the project's policy; empty if it can be tried.
    pub async fn password_faults(&self, password: &SecretString) -> Vec<String> {
        // Descope checks again when the password is set, so a failure here can be ignored.
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

/// The answer to a sign-in; an error if it has no session token.
pub(super) fn signed_in(answer: Result<SignedIn, Failure>, meaning: Meaning) -> Result<SignedIn> {
    let signed_in = answer.map_err(|failure| failure.means(meaning))?;
    if signed_in.session_jwt.is_empty() {
        // A project that "manages tokens in cookies" answers without one.
        let reason = "no session token in the body of an answer".to_owned();
        return Err(Error::Upstream { service: SERVICE, reason });
    }
    Ok(signed_in)
}

/// Whether a message was sent; `false` if Descope refused.
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

/// A success if the session has ended, now or before.
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
