//! One-time codes: sending and verifying them.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Result},
    delivery,
    inbox::MessageKind,
    issued::{Change, Code, Method},
    random,
    request::Request,
    sessions,
    state::State,
    users::User,
};

/// `POST /v1/auth/otp/{signup|signin|signup-in}/{method}`.
pub(crate) fn send(state: &mut State, request: &Request, intent: &str, method: Method) -> Result {
    let user = delivery::addressee(state, request, intent, method)?;
    let address = delivery::address(&user, request.login_id()?, method)?;
    Ok(send_to(state, request, &user, method, &address, None))
}

/// `POST /v1/auth/otp/update/…`: sends a code to a new address of the caller.
pub(crate) fn send_change(state: &mut State, request: &Request, method: Method) -> Result {
    let (user, change) = delivery::change(state, request, method)?;
    let address = change.address.clone();
    Ok(send_to(state, request, &user, method, &address, Some(change)))
}

/// `POST /v1/auth/otp/verify/{method}`: signs in with a code.
pub(crate) fn verify(state: &mut State, request: &Request, method: Method) -> Result {
    let login_id = request.login_id()?;
    let given = request.text(&["code"]);
    if given.is_empty() {
        return Err(Reason::ValidationFailed.because("The code field is required"));
    }
    let wrong = || Reason::WrongCode.because("Invalid one-time code");
    let now = state.clock.now();
    let is_asked_for = |code: &Code| code.login_id == login_id && code.method == method;
    let candidates: Vec<_> = state.codes.iter().enumerate().filter(|(_, code)| is_asked_for(code)).collect();
    // A test user can have a generated code besides a sent one.
    let matching = candidates.iter().find(|(_, code)| code.code == given).or(candidates.last());
    let Some((position, code)) = matching.map(|(position, code)| (*position, (*code).clone())) else {
        return Err(wrong());
    };
    if code.expires <= now {
        return Err(Reason::CodeExpired.because("The one-time code has expired"));
    }
    if code.tries_left == 0 {
        return Err(Reason::TooManyTries.because("Too many attempts to verify the one-time code"));
    }
    if code.code != given {
        if let Some(code) = state.codes.get_mut(position) {
            code.tries_left -= 1;
        }
        return Err(wrong());
    }
    state.users.get(&code.user_id).ok_or_else(wrong)?.expect_not_disabled()?;
    delivery::confirm(state, &code.user_id, method, &code.address, code.change.as_ref())?;
    state.codes.remove(position);
    sessions::open(state, &code.user_id, method.name(), &code.options)
}

/// `POST /v1/mgmt/tests/generate/otp`: a code for a test user, without sending it.
pub(crate) fn generate_for_test(state: &mut State, request: &Request) -> Result {
    let login_id = request.login_id()?;
    let (user, method) = delivery::test_user(state, request)?;
    let address = delivery::address(&user, login_id, method)?;
    state.codes.retain(|code| code.user_id != user.user_id || code.method != method);
    let code = new_code(state, request, &user, method, &address);
    let answer = json!({"loginId": login_id, "code": code.code});
    state.codes.push(Code { is_generated: true, ..code });
    Ok(answer)
}

fn send_to(
    state: &mut State,
    request: &Request,
    user: &User,
    method: Method,
    address: &str,
    change: Option<Change>,
) -> Value {
    let is_dead = |code: &Code| code.user_id == user.user_id && code.method == method && !code.is_generated;
    state.codes.retain(|code| !is_dead(code));
    let code = Code { change, ..new_code(state, request, user, method, address) };
    if !user.test {
        state.send(address, MessageKind::Otp, Some(&code.code), None);
    }
    state.codes.push(code);
    delivery::sent(address, method, Some(state.settings.code_attempts))
}

fn new_code(state: &State, request: &Request, user: &User, method: Method, address: &str) -> Code {
    Code {
        user_id: user.user_id.clone(),
        login_id: request.text(&["loginId", "identifier"]).to_owned(),
        method,
        code: random::code(),
        address: address.to_owned(),
        expires: state.clock.after(state.settings.code_lifetime),
        tries_left: state.settings.code_attempts,
        options: request.login_options(),
        change: None,
        is_generated: false,
    }
}
