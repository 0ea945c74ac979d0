//! A browser as far as the panel needs one: it keeps the cookie and says where a form comes from.

use std::{cell::RefCell, rc::Rc};

use testing::{Answer, Client};

#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    /// Name and value of each.
    cookies: Rc<RefCell<Vec<String>>>,
}

impl Browser {
    /// A browser without a cookie.
    pub(crate) fn new(client: &Client) -> Self {
        let client = client.with("Host", "api.example").with("Sec-Fetch-Site", "same-origin");
        Self { client, cookies: Rc::default() }
    }

    /// The same cookies over another network path, such as one with faults.
    pub(crate) fn through(&self, client: &Client) -> Self {
        Self { cookies: Rc::clone(&self.cookies), ..Self::new(client) }
    }

    /// A copy with one more header and the same cookies.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        Self { client: self.client.with(name, value), cookies: Rc::clone(&self.cookies) }
    }

    /// A browser that was given this cookie.
    pub(crate) fn with_cookie(client: &Client, cookie: &str) -> Self {
        Self { cookies: Rc::new(RefCell::new(vec![cookie.to_owned()])), ..Self::new(client) }
    }

    /// The cookie of the panel's session.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookies.borrow().iter().find(|cookie| cookie.starts_with("__Host-panel=")).cloned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.keep(self.client().get(path).await)
    }

    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.keep(self.client().submit(path, fields).await)
    }

    /// Any request without a body.
    pub(crate) async fn send(&self, method: &str, path: &str) -> Answer {
        self.client().send(method, path, None).await
    }

    /// Submits a form with one file.
    pub(crate) async fn upload(&self, path: &str, field: &str, file: &[u8]) -> Answer {
        self.keep(self.client().upload(path, field, file).await)
    }

    /// Follows the redirect of a form.
    pub(crate) async fn submitted(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.submit(path, fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        self.get(answer.header("location")).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.submit("/admin/sign-in/", &[("email", email), ("password", password)]).await
    }

    fn client(&self) -> Client {
        let cookies = self.cookies.borrow();
        if cookies.is_empty() { self.client.clone() } else { self.client.with("Cookie", &cookies.join("; ")) }
    }

    fn keep(&self, answer: Answer) -> Answer {
        for cookie in &answer.cookies {
            let (pair, attributes) = cookie.split_once("; ").unwrap_or((cookie, ""));
            let is_removed = attributes.contains("Max-Age=0");
            let name = pair.split_once('=').expect("a name and a value").0;
            let mut cookies = self.cookies.borrow_mut();
            cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
            cookies.extend((!is_removed).then(|| pair.to_owned()));
        }
        answer
    }
}

/// The value of an input in a page.
pub(crate) fn input(page: &Answer, name: &str) -> String {
    let from = page.text.split(&format!("name=\"{name}\"")).nth(1).expect(name);
    let tag = from.split('>').next().unwrap();
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}
