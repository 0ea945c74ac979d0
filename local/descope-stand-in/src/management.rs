//! The management API: creating, finding and deleting users.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Result},
    attributes::{self, Scope},
    managed::{shown, target, unknown},
    request::Request,
    sessions::LOGGED_OUT,
    state::State,
    users::{User, is_email, is_phone},
};

/// `POST /v1/mgmt/user/create`, and `…/create/test` for a test user.
pub(crate) fn create(state: &mut State, request: &Request, is_test: bool) -> Result {
    let login_id = request.login_id()?;
    let additional = request.list(&["additionalLoginIds", "additionalIdentifiers"]).unwrap_or_default();
    if additional.iter().map(String::as_str).chain([login_id]).any(|id| state.users.by_login_id(id).is_some()) {
        return Err(Reason::UserExists.because("User already exists"));
    }
    let mut user = User::new(login_id, state.clock.now());
    for login_id in &additional {
        user.add_login_id(login_id);
    }
    user.test = is_test || request.flag(&["test"]).unwrap_or_default();
    if is_email(login_id) {
        login_id.clone_into(&mut user.email);
    } else if is_phone(login_id) {
        login_id.clone_into(&mut user.phone);
    }
    attributes::write(state, request, &mut user, Scope::New)?;
    // An address set by the management API counts as verified unless the body says otherwise.
    user.verified_email = request.flag(&["verifiedEmail"]).unwrap_or(!user.email.is_empty());
    user.verified_phone = request.flag(&["verifiedPhone"]).unwrap_or(!user.phone.is_empty());
    let answer = shown(&user);
    state.users.add(user);
    Ok(answer)
}

/// `GET /v1/mgmt/user?loginId=…` or `?userId=…`.
pub(crate) fn load(state: &State, request: &Request) -> Result {
    let names = ["loginId", "userId", "identifier"];
    let id = names.iter().filter_map(|name| request.query(name)).find(|id| !id.is_empty());
    let id = id.ok_or_else(|| Reason::MissingArgument.because("The loginId or userId argument is missing"))?;
    let user = state.users.id_of(&id).and_then(|user_id| state.users.get(&user_id)).ok_or_else(unknown)?;
    Ok(shown(user))
}

/// `POST /v1/mgmt/users/load`.
pub(crate) fn load_many(state: &State, request: &Request) -> Value {
    let user_ids = request.list(&["userIds"]).unwrap_or_default();
    let users: Vec<_> = user_ids.iter().filter_map(|user_id| state.users.get(user_id)).map(User::to_json).collect();
    json!({"total": users.len(), "users": users})
}

/// `POST /v2/mgmt/user/search`: supports the filters that a backend is likely to use.
pub(crate) fn search(state: &State, request: &Request) -> Value {
    let number = |name: &str| request.member(&[name]).and_then(Value::as_u64).and_then(|number| number.try_into().ok());
    let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(100);
    let page: usize = number("page").unwrap_or_default();
    let found: Vec<_> = state.users.all().filter(|user| is_searched(user, request)).collect();
    let users = found.iter().skip(page.saturating_mul(limit)).take(limit).map(|user| user.to_json());
    json!({"users": users.collect::<Vec<_>>(), "total": found.len()})
}

fn is_searched(user: &User, request: &Request) -> bool {
    let matches = |name: &str, values: &[&str]| {
        let wanted = request.list(&[name]).unwrap_or_default();
        wanted.is_empty() || wanted.iter().any(|wanted| values.contains(&wanted.as_str()))
    };
    let texts = |values: &'_ [String]| values.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let shown = user.to_json();
    let status = shown.get("status").and_then(Value::as_str).unwrap_or_default();
    let login_ids: Vec<_> = user.login_ids.iter().map(String::as_str).collect();
    let roles: Vec<_> = user.roles.iter().map(String::as_str).collect();
    let text = request.text(&["text"]);
    let attributes = request.member(&["customAttributes"]).and_then(Value::as_object);
    let tests_only = request.flag(&["testUsersOnly"]).unwrap_or_default();
    matches("loginIds", &login_ids)
        && matches("userIds", &[&user.user_id])
        && matches("emails", &[&user.email])
        && matches("phones", &[&user.phone])
        && matches("statuses", &[status])
        && matches("roleNames", &roles)
        && attributes
            .is_none_or(|wanted| wanted.iter().all(|(key, value)| user.custom_attributes.get(key) == Some(value)))
        && (text.is_empty()
            || [&user.names.name, &user.email, &user.phone, &texts(&user.login_ids)]
                .iter()
                .any(|own| own.contains(text)))
        && (user.test || !tests_only)
        && (!user.test || tests_only || request.flag(&["withTestUser"]).unwrap_or_default())
}

/// `POST /v1/mgmt/user/delete`: by login id or user id.
pub(crate) fn delete(state: &mut State, request: &Request) -> Result {
    let user_id = target(state, request)?;
    remove(state, &user_id);
    Ok(json!({}))
}

/// `POST /v1/mgmt/user/delete/batch`. Ignores unknown ids.
pub(crate) fn delete_many(state: &mut State, request: &Request) -> Value {
    for user_id in request.list(&["userIds"]).unwrap_or_default() {
        remove(state, &user_id);
    }
    json!({})
}

/// `DELETE /v1/mgmt/user/test/delete/all`.
pub(crate) fn delete_test_users(state: &mut State) -> Value {
    let user_ids: Vec<_> = state.users.all().filter(|user| user.test).map(|user| user.user_id.clone()).collect();
    for user_id in user_ids {
        remove(state, &user_id);
    }
    json!({})
}

fn remove(state: &mut State, user_id: &str) {
    state.users.remove(user_id);
    state.codes.retain(|code| code.user_id != user_id);
    state.sessions.end_all(user_id, None, LOGGED_OUT);
}

/// `POST /v1/mgmt/user/logout`: ends all sessions of a user.
pub(crate) fn log_out(state: &mut State, request: &Request) -> Result {
    let user_id = target(state, request)?;
    state.sessions.end_all(&user_id, None, LOGGED_OUT);
    Ok(json!({}))
}

/// `POST /v1/mgmt/user/history`: the sign-ins of several users. The body is a bare array of user ids.
pub(crate) fn history(state: &State, request: &Request) -> Value {
    let user_ids = request.body.as_array().into_iter().flatten().filter_map(Value::as_str);
    user_ids.filter_map(|user_id| state.users.get(user_id)).flat_map(User::history).collect()
}
