//! Failures as pages, in both languages since no request is at hand, and the headers of every answer.

use maud::html;
use shared::Error;

use crate::frame::{POLICY, bare};

/// The address of a page is a credential: no other site learns it, no cache keeps the page and no search engine lists it.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-robots-tag", "noindex, nofollow, noarchive"),
];

/// The page of a request that failed.
pub(crate) fn page(error: &Error) -> String {
    let (english, hindi) = match error {
        Error::NotFound("Link") => ("This link does not work any more.", "यह लिंक अब नहीं चलता।"),
        Error::NotFound(_) => ("There is no page at this address.", "इस पते पर कोई पन्ना नहीं है।"),
        Error::PermissionDenied => ("This link is not for that.", "यह लिंक इसके लिए नहीं है।"),
        Error::Throttled { .. } => {
            ("Too many attempts. Please try again in a few minutes.", "बहुत बार कोशिश हुई। कुछ मिनट बाद फिर कोशिश करें।")
        }
        Error::Validation(_) => {
            ("Something is missing. Please go back and try again.", "कुछ छूट गया है। वापस जाकर फिर कोशिश करें।")
        }
        Error::Blocked => {
            ("This number cannot be used here. Please call the shop.", "यह नंबर यहाँ नहीं चलेगा। दुकान को फ़ोन करें।")
        }
        _ => ("That did not work. Please try again in a few minutes.", "यह नहीं हो सका। कुछ मिनट बाद फिर कोशिश करें।"),
    };
    let content = html! {
        section {
            h1 { (english) }
            p lang="hi" { (hindi) }
        }
    };
    bare(english, &content).into_string()
}
