//! Signing in and out, and the page of password mails.

pub(crate) mod code;
pub(crate) mod password;
pub(crate) mod sign_in;
pub(crate) mod sign_out;

use axum::response::Response;
use lambda_http::http::{HeaderMap, header};
use shared::{Error, Result, descope::SignedIn, http::Device};

use crate::{App, kit::page::redirect, session};

/// Opens a session of the panel, ends the one that the request had, and leads to `next`.
async fn enter(app: &App, signed_in: &SignedIn, next: &str, headers: &HeaderMap, device: &Device) -> Result<Response> {
    let before = session::find(app, headers, device).await.ok().flatten();
    let cookie = session::open(app, signed_in).await?;
    if let Some(before) = before {
        sign_out::end(app, &before).await?;
    }
    let mut response = redirect(own_path(next));
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// A path of the panel, so that a link to the sign-in page cannot lead elsewhere afterwards.
fn own_path(next: &str) -> &str {
    let is_own = next == "/admin" || next.starts_with("/admin/") || next.starts_with("/admin?");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own && is_plain && !next.contains("//") { next } else { "/admin/" }
}

/// The sentence for a person whose sign-in was refused; other errors are passed on.
fn refusal(error: Error) -> Result<String> {
    match error {
        Error::InvalidCredentials => Ok("This e-mail address and password do not belong together.".to_owned()),
        Error::InvalidOtp => Ok("The code is wrong or has expired. Ask for a new one.".to_owned()),
        Error::PermissionDenied => Ok(NO_ROLE.to_owned()),
        Error::Blocked | Error::Throttled { .. } | Error::Upstream { .. } | Error::UpstreamTimeout { .. } => {
            Ok(error.to_string())
        }
        error => Err(error),
    }
}

const NO_ROLE: &str = "This account does not work at the shop, so it cannot open the panel. Ask an administrator to \
                       give it a role.";

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_sign_in_leads_to_own_pages_only() {
        for own in ["/admin", "/admin/", "/admin/prices/?brand=3", "/admin?x=1"] {
            assert_eq!(own_path(own), own);
        }
        for foreign in [
            "",
            "/",
            "//evil.example/admin/",
            "https://evil.example/",
            "/admin//evil",
            "/admin/\\evil",
            "/adminx",
            "/admin/\r\nx",
        ] {
            assert_eq!(own_path(foreign), "/admin/", "{foreign}");
        }
    }
}
