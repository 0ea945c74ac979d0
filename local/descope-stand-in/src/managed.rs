//! The user that a call to the management API names.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Refusal, Result},
    request::Request,
    state::State,
    users::User,
};

/// Id of the user that the body names by login id or user id. SDKs may send both members, one of them empty.
pub(crate) fn target(state: &State, request: &Request) -> Result<String> {
    let id =
        [request.text(&["loginId", "identifier"]), request.text(&["userId"])].into_iter().find(|id| !id.is_empty());
    let id = id.ok_or_else(|| Reason::MissingArgument.because("The loginId or userId argument is missing"))?;
    state.users.id_of(id).ok_or_else(unknown)
}

/// The answer to most calls.
pub(crate) fn shown(user: &User) -> Value {
    json!({"user": user.to_json()})
}

/// Changes the user named in the body. An error leaves the user unchanged.
pub(crate) fn change(
    state: &mut State,
    request: &Request,
    change: impl FnOnce(&State, &mut User) -> Result<()>,
) -> Result {
    let user_id = target(state, request)?;
    let mut user = state.users.get(&user_id).cloned().ok_or_else(unknown)?;
    change(state, &mut user)?;
    let answer = shown(&user);
    state.users.add(user);
    Ok(answer)
}

pub(crate) fn unknown() -> Refusal {
    Reason::ManagementUserNotFound.because("User not found")
}
