//! The management API: changing users.

use serde_json::{Map, Value, json};

use crate::{
    answer::{Reason, Refusal, Result},
    managed::change,
    password::Password,
    request::Request,
    roles,
    state::State,
    users::{Names, Status, User},
};

/// How a call that writes several attributes treats those that its body does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The user is new. SDKs send empty strings for attributes that their caller did not name.
    New,
    /// Keeps them.
    Merge,
    /// Clears them.
    Overwrite,
}

/// `POST /v1/mgmt/user/update` overwrites, `PATCH /v1/mgmt/user/patch` merges.
pub(crate) fn update(state: &mut State, request: &Request, scope: Scope) -> Result {
    change(state, request, |state, user| {
        let before = (user.email.clone(), user.phone.clone());
        write(state, request, user, scope)?;
        // An address set by the management API counts as verified unless the body says otherwise: observed at Descope
        // for a patch with a phone number, assumed for the rest.
        let (names_email, names_phone) = (request.member(&["email"]).is_some(), request.member(&["phone"]).is_some());
        if names_email || user.email != before.0 {
            user.verified_email = !user.email.is_empty();
        }
        if names_phone || user.phone != before.1 {
            user.verified_phone = !user.phone.is_empty();
        }
        user.verified_email = request.flag(&["verifiedEmail"]).unwrap_or(user.verified_email);
        user.verified_phone = request.flag(&["verifiedPhone"]).unwrap_or(user.verified_phone);
        Ok(())
    })
}

/// Writes the attributes common to creating, updating and patching.
pub(crate) fn write(state: &State, request: &Request, user: &mut User, scope: Scope) -> Result<()> {
    let is_written = |names: &[&str]| match scope {
        Scope::New => request.member(names).is_some_and(|value| value != ""),
        Scope::Merge => request.member(names).is_some(),
        Scope::Overwrite => true,
    };
    let given = Names::from_json(&request.body);
    if is_written(&["displayName", "name"]) {
        user.names.name = given.name;
    }
    if is_written(&["givenName"]) {
        user.names.given = given.given;
    }
    if is_written(&["middleName"]) {
        user.names.middle = given.middle;
    }
    if is_written(&["familyName"]) {
        user.names.family = given.family;
    }
    for (name, own) in [("email", &mut user.email), ("phone", &mut user.phone), ("picture", &mut user.picture)] {
        if is_written(&[name]) {
            request.text(&[name]).clone_into(own);
        }
    }
    if is_written(&["roleNames"]) {
        let role_names = request.list(&["roleNames"]).unwrap_or_default();
        roles::expect_known(state, &role_names)?;
        user.roles = role_names;
    }
    if is_written(&["customAttributes"]) {
        let attributes = request.member(&["customAttributes"]).and_then(Value::as_object).cloned();
        if scope == Scope::Overwrite {
            user.custom_attributes.clear();
        }
        user.custom_attributes.extend(attributes.unwrap_or_default());
    }
    if request.member(&["status"]).is_some_and(|status| status != "") {
        user.status = status(request)?;
    }
    if let Some(password) = request.member(&["password"]).and_then(Value::as_str).filter(|text| !text.is_empty()) {
        user.password = Some(Password::new(password, false)?);
    }
    Ok(())
}

/// `POST /v1/mgmt/user/update/status`.
pub(crate) fn set_status(state: &mut State, request: &Request) -> Result {
    change(state, request, |_, user| {
        user.status = status(request)?;
        Ok(())
    })
}

fn status(request: &Request) -> Result<Status> {
    let status = request.member(&["status"]).cloned().unwrap_or_default();
    serde_json::from_value(status).map_err(|_| Reason::InvalidArgument.because("The status is unknown"))
}

/// `POST /v1/mgmt/user/update/email`.
pub(crate) fn set_email(state: &mut State, request: &Request) -> Result {
    change(state, request, |state, user| {
        let email = request.text(&["email"]);
        let is_taken = state.users.all().any(|other| other.user_id != user.user_id && other.email == email);
        expect_no_conflict(request, !email.is_empty() && is_taken)?;
        email.clone_into(&mut user.email);
        user.verified_email = request.flag(&["verified"]).unwrap_or_default();
        Ok(())
    })
}

/// `POST /v1/mgmt/user/update/phone`.
pub(crate) fn set_phone(state: &mut State, request: &Request) -> Result {
    change(state, request, |state, user| {
        let phone = request.text(&["phone", "phoneNumber"]);
        let is_taken = state.users.all().any(|other| other.user_id != user.user_id && other.phone == phone);
        expect_no_conflict(request, !phone.is_empty() && is_taken)?;
        phone.clone_into(&mut user.phone);
        user.verified_phone = request.flag(&["verified"]).unwrap_or_default();
        Ok(())
    })
}

fn expect_no_conflict(request: &Request, is_taken: bool) -> Result<()> {
    if is_taken && request.flag(&["failOnConflict"]).unwrap_or_default() {
        return Err(conflict());
    }
    Ok(())
}

/// `POST /v1/mgmt/user/update/loginid`: replaces the login id by a new one; an empty new one removes it.
pub(crate) fn set_login_id(state: &mut State, request: &Request) -> Result {
    let (old, new) = (request.login_id()?, request.text(&["newLoginId", "newIdentifier"]));
    change(state, request, |state, user| {
        if state.users.by_login_id(new).is_some_and(|owner| owner.user_id != user.user_id) {
            return Err(conflict());
        }
        user.login_ids.retain(|own| own != old && own != new);
        if !new.is_empty() {
            user.add_login_id(new);
        }
        if user.login_ids.is_empty() {
            return Err(Reason::InvalidArgument.because("A user needs a login id"));
        }
        Ok(())
    })
}

/// `POST /v1/mgmt/user/update/name`: changes only the names in the body.
pub(crate) fn set_name(state: &mut State, request: &Request) -> Result {
    change(state, request, |_, user| {
        let given = Names::from_json(&request.body);
        for (names, value, own) in [
            (&["displayName", "name"][..], given.name, &mut user.names.name),
            (&["givenName"], given.given, &mut user.names.given),
            (&["middleName"], given.middle, &mut user.names.middle),
            (&["familyName"], given.family, &mut user.names.family),
        ] {
            if request.member(names).is_some() {
                *own = value;
            }
        }
        Ok(())
    })
}

/// `POST /v1/mgmt/user/update/picture`.
pub(crate) fn set_picture(state: &mut State, request: &Request) -> Result {
    change(state, request, |_, user| {
        request.text(&["picture"]).clone_into(&mut user.picture);
        Ok(())
    })
}

/// `POST /v1/mgmt/user/update/customAttribute`.
pub(crate) fn set_custom_attribute(state: &mut State, request: &Request) -> Result {
    let key = request.required(&["attributeKey"])?;
    change(state, request, |_, user| {
        let value = request.member(&["attributeValue"]).cloned().unwrap_or_default();
        user.custom_attributes.extend(Map::from_iter([(key.to_owned(), value)]));
        Ok(())
    })
}

/// `POST /v1/mgmt/user/password/set/…`.
pub(crate) fn set_password(state: &mut State, request: &Request, is_temporary: bool) -> Result {
    let password = Password::new(request.text(&["password"]), is_temporary)?;
    change(state, request, |_, user| {
        user.password = Some(password);
        Ok(())
    })?;
    Ok(json!({}))
}

/// `POST /v1/mgmt/user/password/expire`.
pub(crate) fn expire_password(state: &mut State, request: &Request) -> Result {
    change(state, request, |_, user| {
        user.password.iter_mut().for_each(Password::expire);
        Ok(())
    })?;
    Ok(json!({}))
}

fn conflict() -> Refusal {
    Reason::ManagementConflict.because("Another user has this value")
}
