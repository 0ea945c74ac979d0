//! Sign-in with a one-time code by SMS or e-mail.

use axum::{extract::State, response::Response};
use lambda_http::http::HeaderMap;
use maud::html;
use shared::{
    Result,
    http::{ClientAddress, Device, Fields, Query, Read},
    sign_in::{Code, Identifier, codes},
};

use super::{enter, refusal, sign_in::Next};
use crate::{
    App,
    kit::{
        form::{Form, Input, problem},
        page::entrance,
    },
};

pub(crate) async fn page(Query(next): Query<Next>) -> Response {
    ask(&next, &Form::default(), None)
}

struct Recipient(Identifier);

impl Read for Recipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.value("identifier").map(Self)
    }
}

pub(crate) async fn send(State(app): State<App>, address: ClientAddress, mut form: Form) -> Result<Response> {
    let (Some(next), recipient) = (form.read(), form.read::<Recipient>()) else {
        return Ok(ask(&Next::home(), &form, None));
    };
    let Some(Recipient(identifier)) = recipient else { return Ok(ask(&next, &form, None)) };
    match codes::send(&app.sign_in, &identifier, &address).await {
        Ok(()) => Ok(enter_code(&next, &form, None)),
        Err(error) => Ok(ask(&next, &form, Some(&refusal(error)?))),
    }
}

struct Entered(Code);

impl Read for Entered {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.value("code").map(Self)
    }
}

pub(crate) async fn check(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response> {
    let (Some(next), Some(Recipient(identifier)), code) = (form.read(), form.read(), form.read::<Entered>()) else {
        return Ok(ask(&Next::home(), &form, None));
    };
    let Some(Entered(code)) = code else { return Ok(enter_code(&next, &form, None)) };
    match codes::prove(&app.sign_in, None, &identifier, &code.0, &address, &device).await {
        Ok((_, signed_in)) => enter(&app, &signed_in, &next.path, &headers, &device).await,
        Err(error) => Ok(enter_code(&next, &form, Some(&refusal(error)?))),
    }
}

fn ask(next: &Next, form: &Form, refused: Option<&str>) -> Response {
    let content = html! {
        h1 { "Sign in with a code" }
        (next.hint())
        (problem(refused))
        form.stack method="post" action="/admin/sign-in/code/" {
            (next.fields())
            (Input::new("identifier", "Phone number or e-mail address").complete("username").required().in_form(form))
            button type="submit" { "Send code" }
        }
        p { a href=(format!("/admin/sign-in/?{}", next.query())) { "Sign in with a password" } }
    };
    entrance("Sign in with a code", form.has_faults() || refused.is_some(), &content)
}

fn enter_code(next: &Next, form: &Form, refused: Option<&str>) -> Response {
    let recipient = form.value("identifier");
    let content = html! {
        h1 { "Enter the code" }
        p { "A code was sent to " strong { (recipient) } ". It is valid for a few minutes." }
        (problem(refused))
        form.stack method="post" action="/admin/sign-in/code/check/" {
            (next.fields())
            input type="hidden" name="identifier" value=(recipient);
            (Input::new("code", "Code").complete("one-time-code").numeric().required().in_form(form))
            button type="submit" { "Sign in" }
        }
        p { a href=(format!("/admin/sign-in/code/?{}", next.query())) { "Send another code" } }
    };
    entrance("Enter the code", form.has_faults() || refused.is_some(), &content)
}
