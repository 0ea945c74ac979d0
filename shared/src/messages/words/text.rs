//! The files of texts, as functions, and the form of texts.

use askama::Template;

use super::{Kind, Language, Words};

macro_rules! texts {
    ($($(#[$documentation:meta])* $name:ident: $english:tt, $hindi:tt;)*) => {
        $(
            $(#[$documentation])*
            pub(super) fn $name(words: &Words) -> String {
                #[derive(Template)]
                #[template(path = $english, escape = "none")]
                struct English<'a> {
                    words: &'a Words,
                }
                #[derive(Template)]
                #[template(path = $hindi, escape = "none")]
                struct Hindi<'a> {
                    words: &'a Words,
                }
                let rendered = match words.language {
                    Language::English => English { words }.render(),
                    Language::Hindi => Hindi { words }.render(),
                };
                // Writing into a text does not fail.
                rendered.unwrap_or_default()
            }
        )*
    };
}

texts! {
    subject: "messages/subject.en.txt", "messages/subject.hi.txt";
    mail: "messages/mail.en.txt", "messages/mail.hi.txt";
    whatsapp: "messages/whatsapp.en.txt", "messages/whatsapp.hi.txt";
    sms: "messages/sms.en.txt", "messages/sms.hi.txt";
}

/// A mail as HTML: each paragraph, and the link.
pub(super) fn html(subject: &str, language: Language, text: &str, link: Option<&str>) -> String {
    #[derive(Template)]
    #[template(path = "messages/mail.html")]
    struct Page<'a> {
        subject: &'a str,
        language: &'a str,
        paragraphs: Vec<&'a str>,
        link: Option<&'a str>,
    }
    let paragraphs = text.split("\n\n").collect();
    Page { subject, language: language.tag(), paragraphs, link }.render().unwrap_or_default()
}

/// Paragraphs with one empty line between them.
pub(super) fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Everything on one line, with single spaces.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters; what is cut ends in two dots, which every phone can show.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    format!("{}..", kept.trim_end())
}
