//! The forms of a page, with the values that a browser would send.

use testing::Answer;

use crate::{Browser, browser::input};

/// Forms that a page shows after another one alone: where they are sent, and their fields.
pub(super) const MORE: &[(&str, &str)] = &[
    ("/admin/sign-in/code/check/", "identifier=owner%40example.com&code=123456"),
    ("/admin/bookings/bulk/act/", "to=cancelled&row=8%3A1&back=%2Fadmin%2Fbookings%2F"),
    ("/admin/payments/settle/again/", "kind=failed_refund&subject=1"),
    ("/admin/payments/settle/by-hand/", "kind=not_given_back&subject=1&amount=1.00&by=cash&proof=Signed"),
    ("/admin/payments/settle/accept/", "kind=paid_without_money&subject=7&reason=Known"),
    ("/admin/bookings/7/messages/", "message=1&act=again"),
    ("/admin/prices/percent/", "brand=3&percent=5&rounding=10&over=all&fingerprint=x"),
    ("/admin/prices/file/confirm/", "changes=4-7%3D39000&fingerprint=x"),
    ("/admin/shop/holidays/remove/", "date=2026-12-25"),
    ("/admin/users/2/end-session/", "session=2"),
];

/// A form: the page that has it, where it is sent, and its fields.
#[derive(Clone, Debug)]
pub(super) struct Form {
    page: String,
    pub(super) action: String,
    fields: Vec<(String, String)>,
}

/// Whether a person can fill a field in; other ones are made by the panel.
pub(super) fn is_typed(name: &str) -> bool {
    !["form_key", "version"].contains(&name)
}

impl Form {
    pub(super) fn new(action: &str, fields: &str) -> Self {
        let fields = format!("{fields}&form_key=00000000000000000000000000000000");
        let fields = form_urlencoded::parse(fields.as_bytes()).into_owned().collect();
        Self { page: String::new(), action: action.to_owned(), fields }
    }

    /// Forms of one kind differ in their values alone.
    pub(super) fn kind(&self) -> String {
        self.names().fold(self.action.clone(), |kind, name| format!("{kind} {name}"))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// The fields, some of them with another value.
    pub(super) fn with(&self, other: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.clone(), other(name).unwrap_or_else(|| value.clone()))).collect()
    }

    /// Submits the form with these fields, as its page has it now.
    pub(super) async fn submit(&self, browser: &Browser, mut fields: Vec<(String, String)>) -> Answer {
        if let Some((_, version)) = fields.iter_mut().find(|(name, value)| name == "version" && !value.is_empty()) {
            let page = browser.get(&self.page).await;
            *version = if page.text.contains("name=\"version\"") { input(&page, "version") } else { String::new() };
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.submit(&self.action, &fields).await
    }
}

/// The forms of a page that change something.
pub(super) fn of(path: &str, page: &str) -> Vec<Form> {
    let forms = page.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next());
    let forms = forms.filter(|form| form.contains("method=\"post\"") && form.contains("action="));
    forms
        .map(|form| read(path, form))
        .filter(|form| !form.action.contains("sign-out") && !form.fields.is_empty())
        .collect()
}

fn read(path: &str, form: &str) -> Form {
    let action = attribute(form.split('>').next().unwrap(), "action").unwrap_or_default();
    let mut fields: Vec<(String, String)> = Vec::new();
    for tag in form.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap_or((tag, ""));
        let value = attribute(tag, "value").unwrap_or_default();
        if tag.starts_with("option ") {
            // The first one, unless another is chosen.
            if let Some((_, chosen)) = fields.last_mut()
                && (tag.contains(" selected") || chosen.is_empty())
            {
                *chosen = value;
            }
        } else if let Some(name) = attribute(tag, "name") {
            let value = if tag.starts_with("textarea") { text.to_owned() } else { value };
            let is_first = !fields.iter().any(|(known, _)| *known == name);
            if is_first || tag.contains(" checked") {
                fields.retain(|(known, _)| *known != name);
                fields.push((name, value));
            }
        }
    }
    // Of a table's many cells some will do.
    fields.truncate(16);
    Form { page: path.to_owned(), action, fields }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">"))
}
