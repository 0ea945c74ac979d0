//! Sign-in with e-mail address and password.

use axum::{extract::State, response::Response};
use lambda_http::http::HeaderMap;
use maud::{Markup, html};
use secrecy::SecretString;
use shared::{
    Result,
    email::Email,
    http::{ClientAddress, Device, Fields, Query, Read},
    sign_in::password,
};

use super::{enter, refusal};
use crate::{
    App,
    kit::{
        form::{Form, Input, problem},
        page::entrance,
    },
};

/// Where to go after signing in.
pub(crate) struct Next {
    /// A path of the panel; checked when it is used.
    pub(super) path: String,
    /// Whether a session lives, and the person proves again who they are.
    pub(super) again: bool,
}

impl Read for Next {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (path, again) = (fields.text_or_empty("next", 2000), fields.flag("again"));
        Some(Self { path: path.unwrap_or_default(), again: again.unwrap_or_default() })
    }
}

pub(crate) async fn page(Query(next): Query<Next>) -> Response {
    show(&next, &Form::default(), None)
}

/// An address and its password.
struct Login {
    email: Email,
    password: SecretString,
}

impl Read for Login {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (email, password) = (fields.value("email"), fields.secret("password", password::LONGEST));
        Some(Self { email: email?, password: password? })
    }
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response> {
    let (Some(next), login) = (form.read(), form.read::<Login>()) else { return Ok(show(&Next::home(), &form, None)) };
    let Some(login) = login else { return Ok(show(&next, &form, None)) };
    match password::sign_in(&app.sign_in, &login.email, &login.password, &address, &device).await {
        Ok((_, signed_in)) => enter(&app, &signed_in, &next.path, &headers, &device).await,
        Err(error) => Ok(show(&next, &form, Some(&refusal(error)?))),
    }
}

impl Next {
    pub(super) fn home() -> Self {
        Self { path: "/admin/".to_owned(), again: false }
    }

    /// The hidden fields that carry it through a form.
    pub(super) fn fields(&self) -> Markup {
        html! {
            input type="hidden" name="next" value=(self.path);
            @if self.again { input type="hidden" name="again" value="true"; }
        }
    }

    /// As a query.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", &self.path);
        if self.again {
            query.append_pair("again", "true");
        }
        query.finish()
    }

    pub(super) fn hint(&self) -> Markup {
        html! {
            @if self.again { p.hint { "This page needs a fresh proof that it is you. Please sign in again." } }
        }
    }
}

fn show(next: &Next, form: &Form, refused: Option<&str>) -> Response {
    let content = html! {
        h1 { "Sign in" }
        (next.hint())
        (problem(refused))
        form.stack method="post" action="/admin/sign-in/" {
            (next.fields())
            (Input::new("email", "E-mail address").kind("email").complete("username").required().in_form(form))
            (Input::new("password", "Password").kind("password").complete("current-password").required().in_form(form))
            button type="submit" { "Sign in" }
        }
        p { a href=(format!("/admin/sign-in/code/?{}", next.query())) { "Sign in with a one-time code" } }
        p { a href="/admin/password/" { "Set or reset your password" } }
    };
    entrance("Sign in", form.has_faults() || refused.is_some(), &content)
}
