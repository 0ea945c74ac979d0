//! Routing table of the API.

use serde_json::{Value, json};

use crate::{
    PROJECT_ID,
    answer::{Reason, Refusal, Result},
    attributes::{self, Scope},
    codes,
    issued::Method,
    links, management, passwords,
    request::Request,
    roles, sessions,
    settings::JwksForm,
    state::State,
};

/// Routes an API call. All but the key set need the project id; management calls need the management key too.
pub(crate) fn answer(state: &mut State, request: &Request) -> Result {
    let path: Vec<_> = request.path.trim_start_matches('/').split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", [version @ ("v1" | "v2"), "keys", PROJECT_ID]) => Ok(keys(state, version)),
        ("GET", [PROJECT_ID, ".well-known", "jwks.json"]) => Ok(keys(state, "v2")),
        (method, ["v1", "auth", path @ ..]) => {
            request.expect_project()?;
            authentication(state, request, method, path)
        }
        (method, [version @ ("v1" | "v2"), "mgmt", path @ ..]) => {
            request.expect_management()?;
            managing(state, request, method, version, path)
        }
        _ => Err(unknown(request)),
    }
}

fn keys(state: &State, version: &str) -> Value {
    let keys = state.keys.published();
    if version == "v1" || state.settings.jwks_form == JwksForm::Array { keys } else { json!({"keys": keys}) }
}

fn authentication(state: &mut State, request: &Request, method: &str, path: &[&str]) -> Result {
    match (method, path) {
        ("POST", ["password", "signup"]) => passwords::sign_up(state, request),
        ("POST", ["password", "signin"]) => passwords::sign_in(state, request),
        ("GET", ["password", "policy"]) => Ok(passwords::policy()),
        ("POST", ["password", "reset"]) => passwords::send_reset(state, request),
        ("POST", ["password", "update"]) => passwords::update(state, request),
        ("POST", ["password", "replace"]) => passwords::replace(state, request),
        ("POST", ["otp", intent @ ("signup" | "signin" | "signup-in"), by]) => {
            codes::send(state, request, intent, method_of(request, by)?)
        }
        ("POST", ["otp", "verify", by]) => codes::verify(state, request, method_of(request, by)?),
        ("POST", ["otp", "update", "email"]) => codes::send_change(state, request, Method::Email),
        ("POST", ["otp", "update", "phone", by]) => codes::send_change(state, request, phone_method(request, by)?),
        ("POST", ["magiclink", intent @ ("signup" | "signin" | "signup-in"), by]) => {
            links::send(state, request, intent, method_of(request, by)?)
        }
        ("POST", ["magiclink", "verify"]) => links::verify(state, request),
        ("POST", ["magiclink", "update", "email"]) => links::send_change(state, request, Method::Email),
        ("POST", ["magiclink", "update", "phone", by]) => {
            links::send_change(state, request, phone_method(request, by)?)
        }
        ("POST" | "GET", ["refresh"]) => sessions::refresh(state, request),
        ("POST", ["try-refresh"]) => sessions::try_refresh(state, request),
        ("POST", ["validate"]) => sessions::validate(state, request),
        ("POST", ["logout"]) => sessions::log_out(state, request),
        ("POST", ["logoutall"]) => sessions::log_out_all(state, request),
        ("GET", ["me"]) => Ok(sessions::caller(state, request)?.to_json()),
        ("GET", ["me", "history"]) => Ok(sessions::caller(state, request)?.history().into()),
        ("POST", ["me", "tenants"]) => {
            sessions::caller(state, request)?;
            Ok(json!({"tenants": []}))
        }
        _ => Err(unknown(request)),
    }
}

fn managing(state: &mut State, request: &Request, method: &str, version: &str, path: &[&str]) -> Result {
    match (method, version, path) {
        ("POST", "v1", ["user", "create"]) => management::create(state, request, false),
        ("POST", "v1", ["user", "create", "test"]) => management::create(state, request, true),
        ("GET", "v1", ["user"]) => management::load(state, request),
        ("POST", "v1", ["users", "load"]) => Ok(management::load_many(state, request)),
        ("POST", "v2", ["user", "search"]) => Ok(management::search(state, request)),
        ("POST", "v1", ["user", "delete"]) => management::delete(state, request),
        ("POST", "v1", ["user", "delete", "batch"]) => Ok(management::delete_many(state, request)),
        ("DELETE", "v1", ["user", "test", "delete", "all"]) => Ok(management::delete_test_users(state)),
        ("POST", "v1", ["user", "logout"]) => management::log_out(state, request),
        ("POST", "v1", ["user", "history"]) => Ok(management::history(state, request)),
        ("POST", "v1", ["user", "update"]) => attributes::update(state, request, Scope::Overwrite),
        ("PATCH", "v1", ["user", "patch"]) => attributes::update(state, request, Scope::Merge),
        ("POST", "v1", ["user", "update", "status"]) => attributes::set_status(state, request),
        ("POST", "v1", ["user", "update", "email"]) => attributes::set_email(state, request),
        ("POST", "v1", ["user", "update", "phone"]) => attributes::set_phone(state, request),
        ("POST", "v1", ["user", "update", "loginid"]) => attributes::set_login_id(state, request),
        ("POST", "v1", ["user", "update", "name"]) => attributes::set_name(state, request),
        ("POST", "v1", ["user", "update", "picture"]) => attributes::set_picture(state, request),
        ("POST", "v1", ["user", "update", "customAttribute"]) => attributes::set_custom_attribute(state, request),
        ("POST", "v1", ["user", "update", "role", "set"]) => roles::change(state, request, roles::Change::Set),
        ("POST", _, ["user", "update", "role", "add"]) => roles::change(state, request, roles::Change::Add),
        ("POST", "v1", ["user", "update", "role", "remove"]) => roles::change(state, request, roles::Change::Remove),
        ("POST", "v1", ["user", "password", "set", "active"]) => attributes::set_password(state, request, false),
        ("POST", "v1", ["user", "password", "set"] | ["user", "password", "set", "temporary"]) => {
            attributes::set_password(state, request, true)
        }
        ("POST", "v1", ["user", "password", "expire"]) => attributes::expire_password(state, request),
        ("POST", "v1", ["user", "signin", "embeddedlink"]) => links::generate_embedded(state, request),
        ("POST", "v1", ["tests", "generate", "otp"]) => codes::generate_for_test(state, request),
        ("POST", "v1", ["tests", "generate", "magiclink"]) => links::generate_for_test(state, request),
        ("POST", "v1", ["role", "create"]) => roles::create(state, request),
        ("GET", "v1", ["role", "all"]) => Ok(roles::list(state)),
        ("GET", "v1", ["password", "settings"]) => Ok(passwords::settings()),
        ("GET", "v1", ["license"]) => Ok(json!({"rateLimitTier": "tier1"})),
        _ => Err(unknown(request)),
    }
}

fn method_of(request: &Request, name: &str) -> Result<Method> {
    Method::parse(name).ok_or_else(|| unknown(request))
}

fn phone_method(request: &Request, name: &str) -> Result<Method> {
    method_of(request, name).and_then(|method| if method == Method::Email { Err(unknown(request)) } else { Ok(method) })
}

fn unknown(request: &Request) -> Refusal {
    Reason::NoSuchEndpoint.because(format!("There is no {} {} here", request.method, request.path))
}
