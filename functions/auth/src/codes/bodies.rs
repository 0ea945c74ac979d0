//! What is sent to have a code sent, and to show one.

use shared::{
    http::{Fields, Read},
    phone::Phone,
};
use utoipa::ToSchema;

use crate::{change::Change, identifier::Identifier, profile::LONGEST_PHONE};

/// The longest text that may be a code.
const LONGEST_CODE: usize = 32;

#[derive(Debug, ToSchema)]
pub(super) struct Recipient {
    /// Any spelling.
    #[schema(value_type = String, example = "+1234567890")]
    pub(super) phone_number: Phone,
}

impl Read for Recipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { phone_number: phone_number(fields)? })
    }
}

#[derive(Debug, ToSchema)]
pub(super) struct MaybeRecipient {
    /// Any spelling. Without it the code goes to the number of whoever is signed in.
    #[schema(value_type = Option<String>)]
    pub(super) phone_number: Option<Phone>,
}

impl Read for MaybeRecipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { phone_number: Change::read(fields, "phone_number", LONGEST_PHONE)?.value() })
    }
}

#[derive(Debug, ToSchema)]
pub(super) struct PhoneProof {
    /// Any spelling.
    #[schema(value_type = String, example = "+1234567890")]
    pub(super) phone_number: Phone,
    #[schema(example = "123456")]
    pub(super) otp_code: String,
}

impl Read for PhoneProof {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (phone_number, otp_code) = (phone_number(fields), fields.text("otp_code", LONGEST_CODE));
        Some(Self { phone_number: phone_number?, otp_code: otp_code? })
    }
}

#[derive(Debug, ToSchema)]
pub(super) struct AnyRecipient {
    /// A phone number in any spelling, or an e-mail address.
    #[schema(value_type = String)]
    pub(super) identifier: Identifier,
}

impl Read for AnyRecipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { identifier: identifier(fields)? })
    }
}

#[derive(Debug, ToSchema)]
pub(super) struct Proof {
    /// A phone number in any spelling, or an e-mail address.
    #[schema(value_type = String)]
    pub(super) identifier: Identifier,
    #[schema(example = "123456")]
    pub(super) otp_code: String,
}

impl Read for Proof {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (identifier, otp_code) = (identifier(fields), fields.text("otp_code", LONGEST_CODE));
        Some(Self { identifier: identifier?, otp_code: otp_code? })
    }
}

fn phone_number(fields: &mut Fields) -> Option<Phone> {
    fields.parsed("phone_number", |text| text.parse().map_err(|error: shared::phone::NotAPhone| error.to_string()))
}

fn identifier(fields: &mut Fields) -> Option<Identifier> {
    fields.parsed("identifier", |text| text.parse().map_err(str::to_owned))
}
