//! The page that password mails lead to: it sets a password. Without the token of a mail it asks for one.

use axum::{extract::State, response::Response};
use maud::html;
use secrecy::{ExposeSecret, SecretString};
use shared::{
    Error, Result,
    email::Email,
    http::{ClientAddress, Fields, OwnHost, Query, Read},
    sign_in::{password, password_reset, refresh::LONGEST_TOKEN},
};

use crate::{
    App,
    kit::{
        form::{Form, Input, problem},
        page::entrance,
    },
};

/// The query of a link in a mail; Descope calls the token `t`.
pub(crate) struct Link {
    token: Option<SecretString>,
}

impl Read for Link {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = if fields.has("t") { fields.secret("t", LONGEST_TOKEN) } else { None };
        Some(Self { token })
    }
}

pub(crate) async fn page(Query(link): Query<Link>) -> Response {
    match link.token {
        Some(token) => choose(token.expose_secret(), &Form::default(), None),
        None => ask(&Form::default(), None),
    }
}

struct Address(Email);

impl Read for Address {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.value("email").map(Self)
    }
}

pub(crate) async fn mail(
    State(app): State<App>,
    address: ClientAddress,
    host: OwnHost,
    mut form: Form,
) -> Result<Response> {
    let Some(Address(email)) = form.read() else { return Ok(ask(&form, None)) };
    match password_reset::request(&app.sign_in, &email, &address, &host).await {
        Ok(()) => Ok(done("Look into your mail", "If this address has an account, a mail with a link is on its way.")),
        Err(error @ (Error::Throttled { .. } | Error::Upstream { .. } | Error::UpstreamTimeout { .. })) => {
            Ok(ask(&form, Some(&error.to_string())))
        }
        Err(error) => Err(error),
    }
}

struct NewPassword {
    token: SecretString,
    password: SecretString,
}

impl Read for NewPassword {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (token, password) =
            (fields.secret("token", LONGEST_TOKEN), fields.secret("new_password", password::LONGEST_NEW));
        Some(Self { token: token?, password: password? })
    }
}

pub(crate) async fn set(State(app): State<App>, address: ClientAddress, mut form: Form) -> Result<Response> {
    let token = form.value("token").to_owned();
    let Some(new) = form.read::<NewPassword>() else { return Ok(choose(&token, &form, None)) };
    match password_reset::confirm(&app.sign_in, &new.token, &new.password, &address).await {
        Ok(()) => Ok(done("Your password is set", "Sign in with it now. All other sessions of the account are ended.")),
        Err(Error::Validation(faults) | Error::FaultyField(faults) | Error::Conflict(faults)) => {
            form.blame(faults);
            let of_link = form.fault("token").map(ToOwned::to_owned);
            Ok(choose(&token, &form, of_link.as_deref()))
        }
        Err(error @ (Error::Throttled { .. } | Error::Upstream { .. } | Error::UpstreamTimeout { .. })) => {
            Ok(choose(&token, &form, Some(&error.to_string())))
        }
        Err(error) => Err(error),
    }
}

fn ask(form: &Form, refused: Option<&str>) -> Response {
    let content = html! {
        h1 { "Set or reset your password" }
        p { "We send a link to your e-mail address. It opens a page where you choose a new password." }
        (problem(refused))
        form.stack method="post" action="/admin/password/mail/" {
            (Input::new("email", "E-mail address").kind("email").complete("username").required().in_form(form))
            button type="submit" { "Send link" }
        }
        p { a href="/admin/sign-in/" { "Back to sign in" } }
    };
    entrance("Set your password", form.has_faults() || refused.is_some(), &content)
}

fn choose(token: &str, form: &Form, refused: Option<&str>) -> Response {
    let content = html! {
        h1 { "Choose a password" }
        (problem(refused))
        form.stack method="post" action="/admin/password/" {
            input type="hidden" name="token" value=(token);
            (Input::new("new_password", "New password").kind("password").complete("new-password").required().in_form(form))
            button type="submit" { "Set password" }
        }
        p { a href="/admin/password/" { "Send another link" } }
    };
    entrance("Choose a password", form.has_faults() || refused.is_some(), &content)
}

fn done(title: &str, sentence: &str) -> Response {
    let content = html! {
        h1 { (title) }
        p { (sentence) }
        p { a.button href="/admin/sign-in/" { "Sign in" } }
    };
    entrance(title, false, &content)
}
