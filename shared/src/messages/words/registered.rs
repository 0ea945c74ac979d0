//! Registered templates: their text with numbered variables, and the values in the same order.
//!
//! A text is rendered with a mark in the place of each variable. The order of the marks is the order of the variables.

use super::{Kind, Language, Link, Words, text};

/// Characters of Unicode's private use, which no text has.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The text of a template as it is to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What messages name it by.
    pub name: &'static str,
    pub language: Language,
    /// With `{{1}}`, `{{2}}` … for WhatsApp, and `##VAR1##` … for SMS.
    pub whatsapp: String,
    pub sms: String,
}

/// All templates to register, with links to this address if messages have some.
pub fn registered(shop: &str, link_prefix: Option<&str>) -> Vec<Registered> {
    let kinds = Kind::ALL.into_iter().filter(|kind| !kind.is_for_staff());
    kinds
        .flat_map(|kind| Language::ALL.map(|language| (kind, language)))
        .map(|(kind, language)| {
            let mut words = marked(kind, language);
            let whatsapp = numbered(&text::one_line(&text::whatsapp(&words)), |number| format!("{{{{{number}}}}}"));
            shop.clone_into(&mut words.shop);
            words.link = link_prefix.map(|prefix| format!("{prefix}{}", mark(LINK)));
            let sms = numbered(&text::one_line(&text::sms(&words)), |number| format!("##VAR{number}##"));
            Registered { name: kind.as_str(), language, whatsapp, sms }
        })
        .collect()
}

/// The values of a text's variables in the order in which the text has them.
pub(super) fn values(words: &Words, render: impl Fn(&Words) -> String) -> Vec<String> {
    values_with_link(words, None, render)
}

/// As [`values`]; of a link the address that all have is part of the text. So is the shop's name in an SMS.
pub(super) fn values_with_link(words: &Words, link: Option<&Link>, render: impl Fn(&Words) -> String) -> Vec<String> {
    let mut marks = marked(words.kind, words.language);
    marks.link = link.map(|link| format!("{}{}", link.prefix, mark(LINK)));
    let fields = words.fields();
    order(&render(&marks))
        .into_iter()
        .filter_map(|index| match index {
            LINK => link.map(|link| link.suffix.clone()),
            index => fields.get(index).map(|value| (*value).to_owned()),
        })
        .collect()
}

/// The mark of a link.
const LINK: usize = 99;

fn mark(index: usize) -> String {
    format!("{OPEN}{index}{CLOSE}")
}

/// Words that are marks.
fn marked(kind: Kind, language: Language) -> Words {
    let mut index = 0;
    let empty = Words {
        kind,
        language,
        name: String::new(),
        shop: String::new(),
        shop_phone: String::new(),
        reference: String::new(),
        vehicle: String::new(),
        when: String::new(),
        was: String::new(),
        place: String::new(),
        amount: String::new(),
        due: String::new(),
        changed: String::new(),
        link: None,
    };
    let mut marked = empty.map(|_| {
        index += 1;
        mark(index - 1)
    });
    // Part of the text: the shop registers it with its name.
    marked.shop = String::new();
    marked
}

/// The marks of a text in their order.
fn order(text: &str) -> Vec<usize> {
    text.split(OPEN).skip(1).filter_map(|part| part.split_once(CLOSE)?.0.parse().ok()).collect()
}

/// The text with its marks replaced by their place in it.
fn numbered(text: &str, write: impl Fn(usize) -> String) -> String {
    let mut parts = text.split(OPEN);
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        numbered.push_str(&write(index + 1));
        numbered.push_str(part.split_once(CLOSE).map_or("", |(_, rest)| rest));
    }
    numbered
}

impl Words {
    /// All texts but the link, in a fixed order.
    fn fields(&self) -> [&str; 11] {
        [
            &self.name,
            &self.shop,
            &self.shop_phone,
            &self.reference,
            &self.vehicle,
            &self.when,
            &self.was,
            &self.place,
            &self.amount,
            &self.due,
            &self.changed,
        ]
    }

    /// The same with each text but the link changed, in the order of [`Self::fields`].
    pub(super) fn map(&self, mut change: impl FnMut(&str) -> String) -> Self {
        Self {
            kind: self.kind,
            language: self.language,
            name: change(&self.name),
            shop: change(&self.shop),
            shop_phone: change(&self.shop_phone),
            reference: change(&self.reference),
            vehicle: change(&self.vehicle),
            when: change(&self.when),
            was: change(&self.was),
            place: change(&self.place),
            amount: change(&self.amount),
            due: change(&self.due),
            changed: change(&self.changed),
            link: self.link.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{registered, text};
    use crate::language::Language;

    /// docs/messages.md shows how to call it.
    #[test]
    fn texts_to_register() {
        for one in registered("<shop>", Some("<MANAGE_URL>")) {
            println!("{}.{}\n  WhatsApp: {}\n  SMS: {}", one.name, one.language.tag(), one.whatsapp, one.sms);
        }
    }

    #[test]
    fn texts_are_registered_with_numbered_variables() {
        let all = registered("City Bikes", Some("https://shop.example/b/"));
        assert_eq!(all.len(), 20);
        let find = |name: &str| all.iter().find(|one| (one.name, one.language) == (name, Language::English)).unwrap();
        assert_eq!(
            find("booking_confirmed").sms,
            "City Bikes: booking ##VAR1## is confirmed for ##VAR2##. https://shop.example/b/##VAR3##"
        );
        assert_eq!(find("booking_cancelled").whatsapp, "Hello {{1}}, your booking {{2}} on {{3}} is cancelled.");
        for one in all {
            // Meta refuses a body that begins or ends with a variable.
            assert!(!one.whatsapp.starts_with("{{") && !one.whatsapp.ends_with("}}"), "{}", one.whatsapp);
            assert!(!one.whatsapp.contains("{{ ") && one.sms.starts_with("City Bikes: "), "{}", one.sms);
            assert_eq!(text::one_line(&one.whatsapp), one.whatsapp);
        }
    }
}
