//! Passwords: signing up, signing in, resetting and changing them.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Result},
    delivery::masked_email,
    inbox::MessageKind,
    issued::Link,
    links,
    password::{Password, SHORTEST},
    request::Request,
    sessions,
    state::State,
    users::{Names, Status, User},
};

const DEFAULT_RESET_PAGE: &str = "http://localhost:3000/reset-password";

/// `POST /v1/auth/password/signup`.
pub(crate) fn sign_up(state: &mut State, request: &Request) -> Result {
    let login_id = request.login_id()?;
    let password = Password::new(request.text(&["password"]), false)?;
    if state.users.by_login_id(login_id).is_some() {
        return Err(Reason::UserExists.because("User already exists"));
    }
    let mut user = User::new(login_id, state.clock.now());
    let about = request.member(&["user"]).cloned().unwrap_or_default();
    let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    user.names = Names::from_json(&about);
    user.email = text("email");
    user.phone = text("phone");
    user.status = Status::Enabled;
    user.password = Some(password);
    let user_id = user.user_id.clone();
    state.users.add(user);
    sessions::open(state, &user_id, "pwd", &request.login_options())
}

/// `POST /v1/auth/password/signin`.
pub(crate) fn sign_in(state: &mut State, request: &Request) -> Result {
    let (user, password) = check(state, request.login_id()?, request.text(&["password"]))?;
    if password.expired {
        return Err(Reason::PasswordExpired.because("Password expired"));
    }
    sessions::open(state, &user.user_id, "pwd", &request.login_options())
}

/// `POST /v1/auth/password/replace`: accepts an expired or temporary password too.
pub(crate) fn replace(state: &mut State, request: &Request) -> Result {
    let (user, _) = check(state, request.login_id()?, request.text(&["oldPassword"]))?;
    let password = Password::new(request.text(&["newPassword"]), false)?;
    if let Some(user) = state.users.get_mut(&user.user_id) {
        user.password = Some(password);
    }
    // In this call the option is a member of the body itself.
    sessions::open(state, &user.user_id, "pwd", &request.body)
}

/// `POST /v1/auth/password/update`: needs a refresh token, but not the old password.
pub(crate) fn update(state: &mut State, request: &Request) -> Result {
    let caller = sessions::caller(state, request)?;
    let login_id = request.login_id()?;
    if !caller.login_ids.iter().any(|own| own == login_id) {
        return Err(Reason::InvalidArgument.because("The login id belongs to another user than the token"));
    }
    let password = Password::new(request.text(&["newPassword"]), false)?;
    if let Some(user) = state.users.get_mut(&caller.user_id) {
        user.password = Some(password);
    }
    Ok(json!({}))
}

/// `POST /v1/auth/password/reset`: mails a link to a verified address.
pub(crate) fn send_reset(state: &mut State, request: &Request) -> Result {
    let user = state.users.expect(request.login_id()?)?.clone();
    user.expect_not_disabled()?;
    if user.email.is_empty() || !user.verified_email {
        return Err(Reason::NotVerified.because("The user has no verified e-mail address"));
    }
    let page = match request.text(&["redirectUrl", "URI"]) {
        "" => DEFAULT_RESET_PAGE,
        page => page,
    };
    let link = Link::to_email(&user, state.clock.after(state.settings.link_lifetime));
    let token = state.links.add(link);
    if !user.test {
        state.send(&user.email, MessageKind::Reset, None, Some((&token, &links::url(page, &token))));
    }
    Ok(json!({
        "resetMethod": "magiclink",
        "pendingRef": "",
        "linkId": "",
        "maskedEmail": masked_email(&user.email),
    }))
}

/// `GET /v1/auth/password/policy`.
pub(crate) fn policy() -> Value {
    json!({
        "minLength": SHORTEST,
        "lowercase": false,
        "uppercase": false,
        "number": false,
        "nonAlphanumeric": false,
        "strengthScoreEnabled": false,
        "strengthScore": 0,
    })
}

/// `GET /v1/mgmt/password/settings`.
pub(crate) fn settings() -> Value {
    json!({
        "tenantId": "",
        "enabled": true,
        "minLength": SHORTEST,
        "lowercase": false,
        "uppercase": false,
        "number": false,
        "nonAlphanumeric": false,
        "expiration": false,
        "expirationWeeks": 0,
        "reuse": false,
        "reuseAmount": 0,
        "lock": false,
        "lockAttempts": 0,
        "tempLock": false,
        "tempLockAttempts": 0,
        "tempLockDuration": 0,
        "enablePasswordStrength": false,
        "passwordStrengthScore": 0,
    })
}

/// The user with this login id and password.
fn check(state: &State, login_id: &str, password: &str) -> Result<(User, Password)> {
    let wrong = || Reason::WrongPassword.because("Invalid signin credentials");
    if password.is_empty() {
        return Err(Reason::ValidationFailed.because("The password field is required"));
    }
    let user = match state.users.by_login_id(login_id) {
        Some(user) => user,
        None if state.settings.mask_errors => return Err(wrong()),
        None => return Err(Reason::UserNotFound.because("User not found")),
    };
    let own = user.password.as_ref().filter(|own| own.is(password)).ok_or_else(wrong)?;
    user.expect_not_disabled()?;
    Ok((user.clone(), own.clone()))
}
