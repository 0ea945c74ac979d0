//! Delivery of codes and links: methods, recipients, and the address that a redeemed one verifies.

use serde_json::{Map, Value, json};

use crate::{
    answer::{Reason, Result},
    issued::{Change, Method},
    request::Request,
    sessions,
    state::State,
    users::{Names, Status, User},
};

/// Recipient of a code or link. Signing up creates the user; an invited user may still sign up.
pub(crate) fn addressee(state: &mut State, request: &Request, intent: &str, method: Method) -> Result<User> {
    let login_id = request.login_id()?;
    match (intent, state.users.by_login_id(login_id)) {
        ("signup", Some(user)) if user.status != Status::Invited => {
            Err(Reason::UserExists.because("User already exists"))
        }
        ("signin", None) => Err(Reason::UserNotFound.because("User not found")),
        (_, Some(user)) => {
            user.expect_not_disabled()?;
            Ok(user.clone())
        }
        (_, None) => {
            let user = newcomer(state, request, login_id, method)?;
            state.users.add(user.clone());
            Ok(user)
        }
    }
}

fn newcomer(state: &State, request: &Request, login_id: &str, method: Method) -> Result<User> {
    let about = request.member(&["user"]).cloned().unwrap_or_default();
    let text = |names: &[&str], own: &str| {
        let inner = about.get(own).and_then(Value::as_str).unwrap_or_default();
        if inner.is_empty() { request.text(names).to_owned() } else { inner.to_owned() }
    };
    let mut user = User::new(login_id, state.clock.now());
    user.names = Names::from_json(&about);
    user.email = text(&["email"], "email");
    // SDKs put the number into a member named after the method.
    user.phone = text(&["phone", "phoneNumber", "voice", "whatsapp"], "phone");
    let address = if method == Method::Email { &mut user.email } else { &mut user.phone };
    if address.is_empty() {
        login_id.clone_into(address);
    }
    if !method.accepts(address) {
        return Err(
            Reason::ValidationFailed.because(format!("Nothing can be sent to this login id by {}", method.name()))
        );
    }
    Ok(user)
}

/// The user's address for a method. Falls back to the login id if that is an address.
pub(crate) fn address(user: &User, login_id: &str, method: Method) -> Result<String> {
    let own = if method == Method::Email { &user.email } else { &user.phone };
    [own.as_str(), login_id]
        .into_iter()
        .find(|address| method.accepts(address))
        .map(str::to_owned)
        .ok_or_else(|| Reason::InvalidArgument.because(format!("The user has no address for {}", method.name())))
}

/// The caller and the new address in the body.
pub(crate) fn change(state: &State, request: &Request, method: Method) -> Result<(User, Change)> {
    let caller = sessions::caller(state, request)?;
    let login_id = request.login_id()?;
    if !caller.login_ids.iter().any(|own| own == login_id) {
        return Err(Reason::InvalidArgument.because("The login id belongs to another user than the token"));
    }
    let names: &[&str] = if method == Method::Email { &["email"] } else { &["phone", "phoneNumber"] };
    let address = request.required(names)?.to_owned();
    if !method.accepts(&address) {
        return Err(
            Reason::ValidationFailed.because(format!("Nothing can be sent to this address by {}", method.name()))
        );
    }
    let change = Change { address, adds_login_id: request.flag(&["addToLoginIDs"]).unwrap_or_default() };
    expect_no_conflict(state, &caller.user_id, &change)?;
    Ok((caller, change))
}

/// Ignores `onMergeUseExisting`: the stand-in never merges two users.
fn expect_no_conflict(state: &State, user_id: &str, change: &Change) -> Result<()> {
    let owner = state.users.by_login_id(&change.address);
    if change.adds_login_id && owner.is_some_and(|owner| owner.user_id != user_id) {
        return Err(Reason::Conflict.because("The new login id belongs to another user"));
    }
    Ok(())
}

/// Marks an address as verified, and stores it if it is new.
pub(crate) fn confirm(
    state: &mut State,
    user_id: &str,
    method: Method,
    address: &str,
    change: Option<&Change>,
) -> Result<()> {
    if let Some(change) = change {
        expect_no_conflict(state, user_id, change)?;
    }
    let Some(user) = state.users.get_mut(user_id) else { return Ok(()) };
    let (own, verified) = if method == Method::Email {
        (&mut user.email, &mut user.verified_email)
    } else {
        (&mut user.phone, &mut user.verified_phone)
    };
    if change.is_some() || own.is_empty() {
        address.clone_into(own);
    }
    // A code or link sent to an earlier address does not verify the present one.
    if !address.is_empty() && own == address {
        *verified = true;
    }
    if change.is_some_and(|change| change.adds_login_id) {
        user.add_login_id(address);
    }
    Ok(())
}

/// The test user and the method in the body. Refuses other users: their codes and links must stay unreadable.
pub(crate) fn test_user(state: &State, request: &Request) -> Result<(User, Method)> {
    let user = state
        .users
        .id_of(request.login_id()?)
        .and_then(|user_id| state.users.get(&user_id).cloned())
        .ok_or_else(|| Reason::ManagementUserNotFound.because("User not found"))?;
    if !user.test {
        return Err(Reason::InvalidArgument.because("The user is not a test user"));
    }
    let method = Method::parse(request.required(&["deliveryMethod"])?)
        .ok_or_else(|| Reason::InvalidArgument.because("The delivery method is unknown"))?;
    Ok((user, method))
}

/// The answer after a code or link was sent. `attempts` is for codes only.
pub(crate) fn sent(address: &str, method: Method, attempts: Option<u32>) -> Value {
    let (name, masked) = match method {
        Method::Email => ("maskedEmail", masked_email(address)),
        _ => ("maskedPhone", masked_phone(address)),
    };
    let mut answer = Map::from_iter([(name.to_owned(), Value::from(masked))]);
    if let Some(attempts) = attempts {
        answer.insert("verificationAttempts".to_owned(), json!(attempts));
    }
    Value::Object(answer)
}

/// The masked phone number of an answer. Descope's form is not known: clients must not parse it.
fn masked_phone(phone: &str) -> String {
    let shown = phone.len().saturating_sub(4);
    format!("*****{}", phone.get(shown..).unwrap_or_default())
}

/// The masked e-mail address of an answer. Descope's form is not known: clients must not parse it.
pub(crate) fn masked_email(email: &str) -> String {
    let start: String = email.chars().take(2).collect();
    let end: String = email.chars().skip(email.chars().count().saturating_sub(6)).collect();
    format!("{start}***@***{end}")
}
