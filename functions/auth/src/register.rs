//! Making an account with e-mail address and password.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use shared::{
    Error, Faults, Result,
    accounts::{self, NewUser, User},
    descope::{Descope, SignedIn},
    email::Email,
    http::{ClientAddress, Device, ErrorBody, Fields, Json, Patch, Read, Routes, private_json, routes},
    phone::Phone,
    throttle::Claim,
};
use utoipa::ToSchema;

use crate::{
    App,
    login::LONGEST_NEW_PASSWORD,
    profile::{LONGEST_NAME, LONGEST_PHONE},
    sign_in::{Arrival, Welcome},
};

pub(crate) fn routes() -> Routes<App> {
    routes!(register)
}

/// A registration that obeys every rule but those of Descope.
#[derive(Debug)]
struct Registration {
    email: Email,
    password: SecretString,
    first_name: String,
    last_name: String,
    phone_number: Option<Phone>,
}

/// What was sent, with its faults: the password has more to obey than can be seen here, and all is told at once.
#[derive(Debug, ToSchema)]
#[schema(as = Registration, example = json!({
    "email": "user@example.com", "password": "securepassword123", "first_name": "John", "last_name": "Doe",
    "phone_number": "98765 43210"
}))]
struct Form {
    #[schema(value_type = String)]
    email: Option<Email>,
    #[schema(value_type = String)]
    password: Option<SecretString>,
    #[schema(value_type = String)]
    first_name: Option<String>,
    #[schema(value_type = String)]
    last_name: Option<String>,
    /// Any spelling. It is unverified until a one-time code proves it.
    #[schema(value_type = Option<String>)]
    phone_number: Option<Patch<Phone>>,
    #[schema(ignore)]
    faults: Faults,
}

impl Read for Form {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            email: fields.value("email"),
            password: fields.secret("password", LONGEST_NEW_PASSWORD),
            first_name: fields.text("first_name", LONGEST_NAME),
            last_name: fields.text("last_name", LONGEST_NAME),
            phone_number: fields.patch("phone_number", LONGEST_PHONE),
            faults: std::mem::take(&mut fields.faults),
        })
    }
}

impl Form {
    /// The number that was sent, if it is one.
    fn phone(&self) -> Option<&Phone> {
        match &self.phone_number {
            Some(Patch::Set(phone)) => Some(phone),
            _ => None,
        }
    }

    async fn check(self, descope: &Descope) -> Result<Registration> {
        let mut faults = self.faults;
        if let Some(password) = &self.password {
            for fault in descope.password_faults(password).await {
                faults.add("password", fault);
            }
        }
        let registration = (|| {
            Some(Registration {
                email: self.email?,
                password: self.password?,
                first_name: self.first_name?,
                last_name: self.last_name?,
                phone_number: self.phone_number?.value(),
            })
        })();
        match registration {
            Some(registration) => faults.or(registration),
            None => Err(Error::Validation(faults)),
        }
    }
}

/// Registers with an address and a password.
///
/// Neither the address nor the number is verified by that.
#[utoipa::path(
    post, path = "/register", operation_id = "register", tag = "Accounts", request_body = Json<Form>,
    responses(
        (status = 201, body = Welcome),
        (status = 400, body = ErrorBody),
        (status = 409, description = "The address is registered, or somebody has proved the number.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn register(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(form): Json<Form>,
) -> Result<Response> {
    let limits = &app.limits;
    let (email, phone) = (form.email.as_ref().map(Email::to_string), form.phone().map(Phone::to_string));
    let of_identifiers =
        [&email, &phone].into_iter().flatten().map(|identifier| limits.tries_per_identifier.on(identifier));
    let tries: Vec<Claim<'_>> = of_identifiers.chain([limits.tries_per_address.on(&address.0)]).collect();
    app.throttle.check(&tries).await?;
    let registration = form.check(&app.sessions.descope).await?;
    if let Some(phone) = &registration.phone_number {
        refuse_proved_number(&app, phone.as_str()).await?;
    }
    let signed_up = sign_up(&app, &registration).await?.ok_or_else(address_is_taken)?;
    let (user, signed_in) = finish(&app, signed_up, registration, &device).await?;
    Ok(private_json(StatusCode::CREATED, &Welcome::new("User registered successfully", user, signed_in)))
}

async fn refuse_proved_number(app: &App, phone: &str) -> Result<()> {
    let is_proved = |pool| async move {
        sqlx::query_scalar!(
            r#"select exists (select from users where phone = $1 and is_phone_verified) as "is_proved!""#,
            phone
        )
        .fetch_one(&pool)
        .await
    };
    if app.sessions.database.read(is_proved).await? {
        Err(Error::conflict("phone_number", "This phone number is already in use."))
    } else {
        Ok(())
    }
}

fn address_is_taken() -> Error {
    Error::conflict("email", "A user with this email already exists.")
}

/// Makes the user at Descope; `None` if the address is registered.
///
/// Descope may have a user with this address who is nobody's here: one that a first one-time code was sent to and that
/// nobody has ever opened, or one whose registration ended half-way. The first is replaced; the second belongs to
/// whoever knows its password.
async fn sign_up(app: &App, registration: &Registration) -> Result<Option<SignedIn>> {
    let Registration { email, password, first_name, last_name, .. } = registration;
    let descope = &app.sessions.descope;
    for _ in 0..2 {
        if let Some(signed_up) = descope.sign_up(email, password, (first_name, last_name)).await? {
            return Ok(Some(signed_up));
        }
        let Some(user) = descope.user_with_login_id(email.as_str()).await? else { continue };
        if accounts::identity(&app.sessions.database, &user.user_id).await?.is_some() {
            return Ok(None);
        }
        if user.password {
            return match descope.sign_in(email.as_str(), password).await {
                Ok(signed_in) => Ok(Some(signed_in)),
                Err(Error::InvalidCredentials) => Ok(None),
                Err(error) => Err(error),
            };
        }
        if user.verified_email || user.verified_phone || !user.role_names.is_empty() {
            return Ok(None);
        }
        descope.delete_user(&user.user_id).await?;
    }
    Ok(None)
}

/// Makes the user here. Of two registrations at once with one address and password, Descope lets both in; the first to
/// come here has registered.
async fn finish(
    app: &App,
    signed_up: SignedIn,
    registration: Registration,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(app, signed_up).await?;
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, &[arrival.id()]).await?;
    if accounts::identity_in(&mut *transaction, arrival.id()).await?.is_some() {
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(address_is_taken());
    }
    let new = NewUser {
        username: registration.email.to_string(),
        // A password proves nothing of the address, whatever somebody else may have proved of it before.
        is_email_verified: false,
        email: Some(registration.email),
        phone: registration.phone_number,
        is_phone_verified: false,
        first_name: registration.first_name,
        last_name: registration.last_name,
    };
    let user_id = accounts::create(&mut transaction, &new).await?;
    accounts::link(&mut transaction, arrival.id(), user_id, None, false).await?;
    let user = arrival.enter(app, &mut transaction, user_id, device).await?;
    transaction.commit().await?;
    Ok((user, arrival.signed_in))
}
