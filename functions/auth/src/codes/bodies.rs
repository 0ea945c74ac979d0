//! Bodies of the requests that send and verify codes.

use shared::{
    http::{Fields, Read},
    phone::Phone,
    sign_in::{Code, Identifier},
};
use utoipa::ToSchema;

/// Where the code goes.
#[derive(Debug, ToSchema)]
#[schema(as = PhoneRecipient, example = json!({ "phone_number": "98765 43210" }))]
pub(super) struct Recipient {
    /// Any spelling.
    #[schema(value_type = String)]
    pub(super) phone_number: Phone,
}

impl Read for Recipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { phone_number: phone_number(fields)? })
    }
}

/// Where another code goes.
#[derive(Debug, ToSchema)]
#[schema(as = ResendRecipient, example = json!({ "phone_number": "98765 43210" }))]
pub(super) struct MaybeRecipient {
    /// Any spelling. Without it the code goes to the number of the signed-in user.
    #[schema(value_type = Option<String>)]
    pub(super) phone_number: Option<Phone>,
}

impl Read for MaybeRecipient {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { phone_number: fields.value_if_any("phone_number") })
    }
}

/// A code, and the number that it was sent to.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "phone_number": "98765 43210", "otp_code": "123456" }))]
pub(super) struct PhoneProof {
    /// Any spelling.
    #[schema(value_type = String)]
    pub(super) phone_number: Phone,
    pub(super) otp_code: String,
}

impl Read for PhoneProof {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (phone_number, otp_code) = (phone_number(fields), otp_code(fields));
        Some(Self { phone_number: phone_number?, otp_code: otp_code? })
    }
}

/// Where the code goes.
#[derive(Debug, ToSchema)]
#[schema(as = CodeRecipient, example = json!({ "identifier": "user@example.com" }))]
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

/// A code, and the number or address that it was sent to.
#[derive(Debug, ToSchema)]
#[schema(as = CodeProof, example = json!({ "identifier": "user@example.com", "otp_code": "123456" }))]
pub(super) struct Proof {
    /// A phone number in any spelling, or an e-mail address.
    #[schema(value_type = String)]
    pub(super) identifier: Identifier,
    pub(super) otp_code: String,
}

impl Read for Proof {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (identifier, otp_code) = (identifier(fields), otp_code(fields));
        Some(Self { identifier: identifier?, otp_code: otp_code? })
    }
}

fn phone_number(fields: &mut Fields) -> Option<Phone> {
    fields.value("phone_number")
}

fn identifier(fields: &mut Fields) -> Option<Identifier> {
    fields.value("identifier")
}

fn otp_code(fields: &mut Fields) -> Option<String> {
    fields.value::<Code>("otp_code").map(|code| code.0)
}
