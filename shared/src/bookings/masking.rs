//! Masks personal data for callers who do not own the booking: initials, last two digits of the phone number.

/// `John Doe` becomes `J. D.`
pub(super) fn initials(name: &str) -> String {
    let initial = |word: &str| word.chars().next().map(|first| format!("{}.", first.to_uppercase()));
    name.split_whitespace().filter_map(initial).collect::<Vec<_>>().join(" ")
}

/// `+919876543210` becomes `••••••••10`; the length is hidden.
pub fn phone(phone: &str) -> String {
    let length = phone.chars().count();
    let end: String = phone.chars().skip(length.saturating_sub(2)).collect();
    format!("••••••••{end}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_reduced_to_initials() {
        for (name, masked) in [
            ("John Doe", "J. D."),
            ("  ada   lovelace ", "A. L."),
            ("Shivaji", "S."),
            ("रमेश कुमार", "र. क."),
            ("ßeta", "SS."),
        ] {
            assert_eq!(super::initials(name), masked);
        }
    }

    #[test]
    fn a_phone_keeps_two_digits_and_hides_its_length() {
        assert_eq!(super::phone("+919876543210"), "••••••••10");
        assert_eq!(super::phone("+12345678"), "••••••••78");
    }
}
