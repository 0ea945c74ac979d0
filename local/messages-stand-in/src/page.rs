//! The inbox as a page: mail, SMS and WhatsApp side by side.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::{Channel, Taken, whatsapp};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem;color:#1b1b1b;background:#f6f6f4}
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1.25rem;align-items:start}
article{background:#fff;border:1px solid #ddd;border-radius:.5rem;padding:.75rem 1rem;margin:0 0 .75rem}
h1{font-size:1.25rem}h2{font-size:1rem}p{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.about{color:#666;font-size:.85rem}pre{overflow:auto;font-size:.8rem}iframe{width:100%;height:16rem;border:1px solid #ddd}";

/// Newest first. How many are shown of each channel.
const SHOWN: usize = 100;

pub(crate) fn inbox(messages: &[Taken]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Inbox" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What people would have got" }
                main {
                    (column("Mail", Channel::Email, messages))
                    (column("WhatsApp", Channel::WhatsApp, messages))
                    (column("SMS", Channel::Sms, messages))
                }
            }
        }
    }
}

fn column(title: &str, channel: Channel, messages: &[Taken]) -> Markup {
    let shown: Vec<_> = messages.iter().filter(|message| message.channel == channel).collect();
    html! {
        section aria-label=(title) {
            h2 { (title) " (" (shown.len()) ")" }
            @for message in shown.iter().take(SHOWN) {
                article {
                    p.about {
                        (message.to) " · " (message.taken_at.format("%d %b %H:%M:%S UTC").to_string())
                        @if let Some(status) = &message.status { " · " (status) }
                    }
                    @match channel {
                        Channel::Email => (mail(&message.request)),
                        Channel::WhatsApp => (template(&message.request)),
                        Channel::Sms => (flow(&message.request)),
                    }
                    details { summary { "As it was sent" } pre { (format!("{:#}", message.request)) } }
                }
            }
        }
    }
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(body: &'a Value, pointer: &str) -> &'a [Value] {
    body.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn mail(body: &Value) -> Markup {
    html! {
        p { strong { (text(body, "/Content/Simple/Subject/Data")) } }
        p.about { "From " (text(body, "/FromEmailAddress")) }
        @for header in items(body, "/Content/Simple/Headers") {
            p.about { (text(header, "/Name")) ": " (text(header, "/Value")) }
        }
        p { (text(body, "/Content/Simple/Body/Text/Data")) }
        details { summary { "As HTML" } iframe sandbox="" title="Mail" srcdoc=(text(body, "/Content/Simple/Body/Html/Data")) {} }
        @for file in items(body, "/Content/Simple/Attachments") {
            @let content = STANDARD.decode(text(file, "/RawContent")).unwrap_or_default();
            details {
                summary { (text(file, "/FileName")) " (" (text(file, "/ContentType")) ")" }
                pre { (String::from_utf8_lossy(&content)) }
            }
        }
    }
}

fn template(body: &Value) -> Markup {
    html! {
        p { strong { (text(body, "/template/name")) } " · " (text(body, "/template/language/code")) }
        @for value in whatsapp::texts(body) { p { (value) } }
    }
}

fn flow(body: &Value) -> Markup {
    let variables = body.pointer("/recipients/0").and_then(Value::as_object).cloned().unwrap_or_default();
    html! {
        p { strong { (text(body, "/template_id")) } }
        @for (name, value) in variables.iter().filter(|(name, _)| name.starts_with("VAR")) {
            p { span.about { (name) " " } (value.as_str().unwrap_or_default()) }
        }
    }
}
