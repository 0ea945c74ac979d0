//! The words of messages: what each kind says on each way, and the shop's own words in mails.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    carriers::Channel,
    history,
    http::{Fields, Read},
    language::Language,
    messages::{Kind, LONGEST_OWN_TEXT, OwnTexts, Preview},
};
use sqlx::PgConnection;

use super::sample;
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, Input, problem},
        page::{Page, redirect},
        stale::{Present, stale, version},
    },
    messages::{kind as name_of, ways},
    session::Person,
    words::Words,
};

const PATH: &str = "/admin/shop/messages/";

/// The shop's own words as their form has them.
struct OwnWords(OwnTexts);

impl Read for OwnWords {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut text = |name| fields.lines_or_empty(name, LONGEST_OWN_TEXT);
        let (english, hindi) = (text("english"), text("hindi"));
        Some(Self(OwnTexts { english: english?, hindi: hindi?, version: 0 }))
    }
}

fn kind_named(name: Option<&str>) -> Result<Kind> {
    let Some(name) = name else { return Ok(Kind::Created) };
    Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Error::NotFound("Message"))
}

fn present(texts: OwnTexts) -> Present {
    Present::new(texts.version, vec![("english", texts.english), ("hindi", texts.hindi)])
}

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let kind = kind_named(ask.value("kind"))?;
    let texts = OwnTexts::find(&app.database().pool(), kind).await?;
    let notice = ask.value("done").map(|_| "Saved. The next mail has these words.");
    show(&app, &person, kind, &texts.clone(), &present(texts).form(), notice, StatusCode::OK).await
}

pub(crate) async fn change(State(app): State<App>, person: Person, ask: Ask, mut form: Form) -> Result<Response> {
    let kind = kind_named(ask.value("kind"))?;
    let Some(OwnWords(texts)) = form.read() else {
        return show(&app, &person, kind, &OwnTexts::default(), &form, None, StatusCode::BAD_REQUEST).await;
    };
    if form.value("act") == "preview" {
        return show(&app, &person, kind, &texts, &form, None, StatusCode::OK).await;
    }
    let save = async |connection: &mut PgConnection| {
        history::sign(&mut *connection, &person.author()).await?;
        lock(connection, kind).await?;
        let stored = present(OwnTexts::find(&mut *connection, kind).await?);
        if stored.is_newer_than(&form) {
            return Ok::<_, Error>(Some(stored));
        }
        texts.save(connection, kind).await?;
        Ok(None)
    };
    match app.database().transaction(save).await? {
        None => Ok(redirect(&format!("{}&done=saved", path_of(kind)))),
        Some(theirs) => {
            theirs.show_beside(&mut form);
            show(&app, &person, kind, &texts, &form, None, StatusCode::CONFLICT).await
        }
    }
}

/// Two people who save the words of one kind do so one after the other, also where there are none yet.
async fn lock(connection: &mut PgConnection, kind: Kind) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('message_texts ' || $1, 0))", kind.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn path_of(kind: Kind) -> String {
    format!("{PATH}?kind={}", kind.as_str())
}

async fn show(
    app: &App,
    person: &Person,
    kind: Kind,
    texts: &OwnTexts,
    form: &Form,
    notice: Option<&str>,
    status: StatusCode,
) -> Result<Response> {
    let sample = sample::load(app.database()).await?;
    let words = Words::default();
    let content = html! {
        h1 { "Words of messages" }
        p { (ways(words, &sample.channels)) }
        p.links {
            a href="/admin/messages/" { "Messages sent" }
            a href="/admin/activity/?kind=message_texts" { "History" }
        }
        nav.scopes aria-label="Kinds of messages" {
            @for one in Kind::ALL {
                a href=(path_of(one)) aria-current=[(one == kind).then_some("true")] { (name_of(words, one)) }
            }
        }
        (problem(form.fault("form")))
        (stale(form, "these words", &path_of(kind)))
        form.stack method="post" action=(path_of(kind)) {
            fieldset disabled[!person.is_admin] {
                h2 { (name_of(words, kind)) ": your own words in the mail" }
                (version(form))
                (Input::new("english", "In English").kind("textarea").max(LONGEST_OWN_TEXT).hint("They stand before ours. The texts of WhatsApp and SMS are registered and cannot be changed here.").in_form(form))
                (Input::new("hindi", "In Hindi").kind("textarea").max(LONGEST_OWN_TEXT).in_form(form))
                @if person.is_admin {
                    div.actions {
                        button type="submit" name="act" value="save" { "Save words" }
                        button.plain type="submit" name="act" value="preview" { "Preview" }
                    }
                }
            }
        }
        h2 { "Preview" }
        div.two {
            @for language in Language::ALL {
                section lang=(language.tag()) {
                    h3 { (language_name(language)) }
                    (preview(&sample.preview(kind, language, texts.of(language)), &sample.channels))
                }
            }
        }
    };
    Ok(Page::new(person, PATH, "Words of messages").notice(notice).status(status).show(&content))
}

const fn language_name(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::Hindi => "हिन्दी",
    }
}

fn preview(preview: &Preview, channels: &[Channel]) -> Markup {
    let texts =
        [(Channel::WhatsApp, "WhatsApp", preview.whatsapp.as_deref()), (Channel::Sms, "SMS", preview.sms.as_deref())];
    html! {
        figure.message {
            figcaption { "E-mail" (off(Channel::Email, channels)) }
            p { strong { (preview.subject) } }
            @for paragraph in preview.mail.split("\n\n") { p { (paragraph) } }
        }
        @for (channel, name, text) in texts {
            @if let Some(text) = text {
                figure.message { figcaption { (name) (off(channel, channels)) } p { (text) } }
            }
        }
    }
}

fn off(channel: Channel, channels: &[Channel]) -> &'static str {
    if channels.contains(&channel) { "" } else { " (not set up)" }
}
