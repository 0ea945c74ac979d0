//! Magic links: sending and redeeming them.

use serde_json::{Value, json};

use crate::{
    answer::{Reason, Result},
    delivery,
    inbox::MessageKind,
    issued::{Change, Link, Method},
    request::Request,
    sessions,
    state::State,
    users::User,
};

const DEFAULT_PAGE: &str = "http://localhost:3000/magic-link";

/// `POST /v1/auth/magiclink/{signup|signin|signup-in}/{method}`.
pub(crate) fn send(state: &mut State, request: &Request, intent: &str, method: Method) -> Result {
    let user = delivery::addressee(state, request, intent, method)?;
    let address = delivery::address(&user, request.login_id()?, method)?;
    send_to(state, request, &user, method, &address, None);
    Ok(delivery::sent(&address, method, None))
}

/// `POST /v1/auth/magiclink/update/…`: sends a link to a new address of the caller.
pub(crate) fn send_change(state: &mut State, request: &Request, method: Method) -> Result {
    let (user, change) = delivery::change(state, request, method)?;
    let address = change.address.clone();
    send_to(state, request, &user, method, &address, Some(change));
    Ok(delivery::sent(&address, method, None))
}

/// `POST /v1/auth/magiclink/verify`: signs in with the token of a magic link or of a password reset link.
pub(crate) fn verify(state: &mut State, request: &Request) -> Result {
    let token = request.required(&["token"])?;
    let now = state.clock.now();
    let link = state.links.0.get(token).filter(|link| link.expires > now).cloned();
    let link = link.ok_or_else(|| Reason::BadLink.because("The token is unknown, used or expired"))?;
    let user =
        state.users.get(&link.user_id).ok_or_else(|| Reason::BadLink.because("The user of the token is gone"))?;
    user.expect_not_disabled()?;
    delivery::confirm(state, &link.user_id, link.method, &link.address, link.change.as_ref())?;
    state.links.0.remove(token);
    sessions::open(state, &link.user_id, link.method.name(), &link.options)
}

/// `POST /v1/mgmt/tests/generate/magiclink`: a link for a test user.
pub(crate) fn generate_for_test(state: &mut State, request: &Request) -> Result {
    let login_id = request.login_id()?;
    let (user, method) = delivery::test_user(state, request)?;
    let link = Link {
        user_id: user.user_id.clone(),
        method,
        address: delivery::address(&user, login_id, method)?,
        expires: state.clock.after(state.settings.link_lifetime),
        options: request.login_options(),
        change: None,
    };
    let token = state.links.add(link);
    Ok(json!({"loginId": login_id, "link": url(page(request), &token)}))
}

/// `POST /v1/mgmt/user/signin/embeddedlink`: a token that the caller delivers itself.
pub(crate) fn generate_embedded(state: &mut State, request: &Request) -> Result {
    let user_id = state
        .users
        .id_of(request.login_id()?)
        .ok_or_else(|| Reason::ManagementUserNotFound.because("User not found"))?;
    let seconds = request.member(&["timeout"]).and_then(Value::as_u64).filter(|seconds| *seconds > 0).unwrap_or(60);
    let link = Link {
        user_id,
        method: Method::Email,
        address: String::new(),
        expires: state.clock.after(std::time::Duration::from_secs(seconds)),
        options: Value::Null,
        change: None,
    };
    Ok(json!({"token": state.links.add(link)}))
}

/// URL of the page, with the token as query parameter `t`.
pub(crate) fn url(page: &str, token: &str) -> String {
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}t={token}")
}

fn page(request: &Request) -> &str {
    match request.text(&["redirectUrl", "URI"]) {
        "" => DEFAULT_PAGE,
        page => page,
    }
}

fn send_to(state: &mut State, request: &Request, user: &User, method: Method, address: &str, change: Option<Change>) {
    let link = Link {
        user_id: user.user_id.clone(),
        method,
        address: address.to_owned(),
        expires: state.clock.after(state.settings.link_lifetime),
        options: request.login_options(),
        change,
    };
    let token = state.links.add(link);
    if !user.test {
        state.send(address, MessageKind::MagicLink, None, Some((&token, &url(page(request), &token))));
    }
}
