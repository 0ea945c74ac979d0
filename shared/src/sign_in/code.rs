//! One-time codes as people copy them.

use serde_json::{Value, json};

use crate::{
    text::{Unclean, is_decoration},
    written::Written,
};

/// A code without the spaces and dashes that messages and people put into it. Not shown by `Debug`.
pub struct Code(pub String);

/// Maximum length of a code in characters.
const LONGEST: usize = 32;

impl std::fmt::Debug for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Code").finish_non_exhaustive()
    }
}

impl Written for Code {
    fn parse(text: &str) -> Result<Self, String> {
        let code: String = text.chars().filter(|character| !is_decoration(*character)).collect();
        match code.chars().count() {
            0 => Err(Unclean::Invisible.to_string()),
            _ if code.chars().any(char::is_control) => Err(Unclean::Control.to_string()),
            1..=LONGEST => Ok(Self(code)),
            _ => Err(format!("Ensure this field has no more than {LONGEST} characters.")),
        }
    }

    fn rules() -> Value {
        json!({ "minLength": 1, "maxLength": LONGEST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_was_copied() {
        for text in ["442681", "442 681", "442-681", "4 4 2 6 8 1", "442\u{2013}681", "\u{202a}442\u{a0}681\u{202c}"] {
            assert_eq!(Code::parse(text).unwrap().0, "442681", "{text:?}");
        }
        assert_eq!(Code::parse(" - ").unwrap_err(), "This field may not be blank.");
        assert_eq!(Code::parse(&"1".repeat(33)).unwrap_err(), "Ensure this field has no more than 32 characters.");
    }
}
