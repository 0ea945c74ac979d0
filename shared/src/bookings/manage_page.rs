//! The page that links to bookings lead to.

use super::access_token::AccessToken;
use crate::{
    config::{self, MANAGE_URL},
    http::OwnHost,
};

/// The page that links lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagePage(Option<String>);

/// The place of the token in `MANAGE_URL`.
const PLACE: &str = "{token}";

impl ManagePage {
    /// Reads `MANAGE_URL`: an address with `{token}` in it.
    pub fn from_env() -> Result<Self, config::Error> {
        let address = config::optional(MANAGE_URL).map(|address| address.trim().to_owned());
        let is_faulty = |address: &String| !address.starts_with("http") || !address.contains(PLACE);
        if address.as_ref().is_some_and(is_faulty) {
            return Err(MANAGE_URL.invalid());
        }
        Ok(Self(address))
    }

    /// The page at an address with `{token}` in it.
    pub fn at(address: impl Into<String>) -> Self {
        Self(Some(address.into()))
    }

    /// The address around the token, which is the same for all links; `None` where no `MANAGE_URL` is set.
    pub fn around_token(&self) -> Option<(&str, &str)> {
        self.0.as_deref()?.split_once(PLACE)
    }

    /// The address of a link: on the page of `MANAGE_URL`, else on our own at the host that received a request. `None` where
    /// neither is known.
    pub fn address(&self, token: &AccessToken, own: &OwnHost) -> Option<String> {
        match &self.0 {
            Some(address) => Some(address.replace(PLACE, token.reveal())),
            None => own_page(token, own),
        }
    }
}

/// The address of a link on our own page, at the host that received a request. Only on one machine it is reached without TLS.
pub fn own_page(token: &AccessToken, own: &OwnHost) -> Option<String> {
    let scheme = if config::is_deployed() { "https" } else { "http" };
    own.0.as_ref().map(|host| format!("{scheme}://{host}/b/{}/", token.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_frontend_or_to_our_own_page() {
        let (token, own) = (AccessToken::sent("secret"), OwnHost(Some("api.example".to_owned())));
        let frontend = ManagePage::at("https://shop.example/my/{token}?from=mail");
        assert_eq!(frontend.address(&token, &own).unwrap(), "https://shop.example/my/secret?from=mail");
        assert_eq!(ManagePage::default().address(&token, &own).unwrap(), "http://api.example/b/secret/");
        assert_eq!(ManagePage::default().address(&token, &OwnHost(None)), None);
        assert_eq!(frontend.around_token(), Some(("https://shop.example/my/", "?from=mail")));
    }
}
