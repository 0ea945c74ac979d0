//! Texts that people send: one Unicode form, and no characters that hide, reorder or control what is shown.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// How many lines a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A name, an address of a mailbox, a search.
    One,
    /// Notes, postal addresses, reasons: line breaks are kept, each as one `\n`.
    Many,
}

/// Why a text is refused; the sentences are for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclean {
    #[error("Null characters are not allowed.")]
    Nul,
    #[error("This field may not contain control characters.")]
    Control,
    /// Nothing in the text can be seen.
    #[error("This field may not be blank.")]
    Invisible,
}

/// A text as it is stored: trimmed, and in NFC, so that two spellings of the same characters are equal and found by the
/// same search. An empty text stays empty; one that only looks empty is refused.
pub fn clean(text: &str, lines: Lines) -> Result<String, Unclean> {
    let text = text.trim();
    if text.contains('\0') {
        return Err(Unclean::Nul);
    }
    let text = match lines {
        Lines::One => Cow::Borrowed(text),
        // Browsers end the lines of a form with two characters, of which neither was typed.
        Lines::Many => Cow::Owned(text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n")),
    };
    if text.chars().any(|character| misleads(character) && !(character == '\n' && lines == Lines::Many)) {
        return Err(Unclean::Control);
    }
    if !text.is_empty() && text.chars().all(is_blank) {
        return Err(Unclean::Invisible);
    }
    // A joiner at the end of a word shapes its last letter.
    let text = text.trim_matches(|character| is_blank(character) && !matches!(character, '\u{200c}' | '\u{200d}'));
    Ok(nfc(text).into_owned())
}

/// A text that a program sends, such as the name of a browser: in NFC, without the characters that [`clean`] refuses.
pub fn cleansed(text: &str) -> String {
    let text: String = text.chars().filter(|character| !misleads(*character)).collect();
    nfc(text.trim()).into_owned()
}

/// A text in Unicode's normalization form C.
pub fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Whether a character is white space, or takes no place of its own on a page.
pub fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_invisible(character)
}

/// Whether a character controls a terminal or a log, ends a line, or reorders the text around it.
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Unicode's `Default_Ignorable_Code_Point`, and the blank pattern of Braille.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a character only decorates a number or a code that was copied: a space, a dash of any kind, or one that cannot
/// be seen.
pub fn is_decoration(character: char) -> bool {
    is_blank(character)
        || matches!(
            character,
            '-' | '\u{58a}'
                | '\u{5be}'
                | '\u{1400}'
                | '\u{1806}'
                | '\u{2010}'..='\u{2015}'
                | '\u{2043}'
                | '\u{207b}'
                | '\u{208b}'
                | '\u{2212}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'..='\u{2e3b}'
                | '\u{2e40}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{fe31}'..='\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_has_one_spelling() {
        for (text, stored) in [
            ("  Asha  ", "Asha"),
            ("\u{95b}ora", "\u{91c}\u{93c}ora"),
            ("\u{91c}\u{93c}ora", "\u{91c}\u{93c}ora"),
            ("Jose\u{301}", "Jos\u{e9}"),
            ("\u{feff}Asha\u{200b}", "Asha"),
            ("क\u{94d}\u{200d}", "क\u{94d}\u{200d}"),
            ("👩\u{200d}🔧", "👩\u{200d}🔧"),
            ("", ""),
            (" \u{a0}\u{3000} ", ""),
        ] {
            assert_eq!(clean(text, Lines::One).as_deref(), Ok(stored), "{text:?}");
        }
    }

    #[test]
    fn what_controls_or_reorders_is_refused() {
        for text in ["a\u{1b}[31mb", "a\r\nb", "a\nb", "a\tb", "a\u{7f}b", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(clean(text, Lines::One), Err(Unclean::Control), "{text:?}");
        }
        for text in ["a\u{202e}b", "\u{202a}a\u{202c}", "a\u{2066}b\u{2069}", "a\u{1b}b", "a\tb"] {
            for lines in [Lines::One, Lines::Many] {
                assert_eq!(clean(text, lines), Err(Unclean::Control), "{text:?}");
            }
        }
        assert_eq!(clean("a\0b", Lines::Many), Err(Unclean::Nul));
    }

    #[test]
    fn what_cannot_be_seen_is_no_text() {
        for text in ["\u{200b}", "\u{200b} \u{2060}", "\u{ad}", "\u{3164}", "\u{2800}\u{feff}", "\u{e0041}", "\u{200d}"]
        {
            for lines in [Lines::One, Lines::Many] {
                assert_eq!(clean(text, lines), Err(Unclean::Invisible), "{text:?}");
            }
        }
    }

    #[test]
    fn line_breaks_are_kept_as_one_character() {
        assert_eq!(clean("a\r\nb\rc\u{2028}d\n", Lines::Many).as_deref(), Ok("a\nb\nc\nd"));
    }

    #[test]
    fn the_name_of_a_browser_is_cleansed() {
        assert_eq!(cleansed("Mozilla/5.0\u{1b}[31m\u{202e} (X11)\0"), "Mozilla/5.0[31m (X11)");
    }

    proptest! {
        #[test]
        fn a_clean_text_is_clean(text in "\\PC*|.*") {
            for lines in [Lines::One, Lines::Many] {
                if let Ok(text) = clean(&text, lines) {
                    prop_assert_eq!(clean(&text, lines), Ok(text));
                }
            }
        }
    }
}
