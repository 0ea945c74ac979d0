//! Each call of the Descope client, against the stand-in: its effect and the errors for its refusals.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use descope_stand_in::{Fault, StandIn};
use secrecy::SecretString;
use serde_json::json;
use shared::{
    Error,
    descope::{Channel, Descope},
    email::Email,
};

const EMAIL: &str = "user@example.com";
const PHONE: &str = "+919876543210";

fn client(stand_in: &StandIn) -> Descope {
    Descope::new(&stand_in.url(), stand_in.project_id(), stand_in.management_key()).unwrap()
}

fn email() -> Email {
    EMAIL.parse().unwrap()
}

fn password() -> SecretString {
    "a good password".to_owned().into()
}

#[tokio::test]
async fn a_password_can_be_set_at_sign_up_used_replaced_and_forgotten() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    let signed_up = descope.sign_up(&email(), &password(), ("Ada", "Lovelace")).await.unwrap().unwrap();
    let user = descope.me(&signed_up.refresh_jwt).await.unwrap();
    assert_eq!((user.email.as_str(), user.verified_email, user.password), (EMAIL, false, true));
    assert_eq!((user.given_name.as_str(), user.family_name.as_str()), ("Ada", "Lovelace"));
    assert!(descope.sign_up(&email(), &password(), ("", "")).await.unwrap().is_none(), "the address is taken");

    let new: SecretString = "an even better one".to_owned().into();
    descope.update_password(&signed_up.refresh_jwt, EMAIL, &new).await.unwrap();
    assert!(matches!(descope.sign_in(EMAIL, &password()).await, Err(Error::InvalidCredentials)));
    assert_eq!(descope.sign_in(EMAIL, &new).await.unwrap().user.unwrap().user_id, user.user_id);
    let weak: SecretString = "weak".to_owned().into();
    let refused = descope.update_password(&signed_up.refresh_jwt, EMAIL, &weak).await;
    assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
    assert_eq!(descope.password_faults(&weak).await, ["Ensure this field has at least 8 characters."]);

    descope.forget_password(&user.user_id).await.unwrap();
    assert!(matches!(descope.sign_in(EMAIL, &new).await, Err(Error::InvalidCredentials)));
    assert!(descope.me(&signed_up.refresh_jwt).await.is_err(), "its sessions have ended");
}

#[tokio::test]
async fn codes_and_links_verify_the_address_they_were_sent_to() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    for (channel, login_id) in [(Channel::Sms, PHONE), (Channel::Email, EMAIL)] {
        descope.send_code(channel, login_id).await.unwrap();
        let code = stand_in.inbox(login_id)[0].code.clone().unwrap();
        let user = descope.verify_code(channel, login_id, &code).await.unwrap().user.unwrap();
        assert_eq!((user.verified_phone, user.verified_email), (channel == Channel::Sms, channel == Channel::Email));
        assert!(matches!(descope.verify_code(channel, login_id, &code).await, Err(Error::InvalidOtp)), "once");
    }
    for is_reset in [true, false] {
        let page = "https://shop.example/reset?lang=en";
        if is_reset {
            assert!(descope.send_reset_mail(&email(), page).await.unwrap());
        } else {
            assert!(descope.send_magic_link(&email(), page).await.unwrap());
        }
        let mail = &stand_in.inbox(EMAIL)[0];
        let token: SecretString = mail.token.clone().unwrap().into();
        assert!(mail.link.as_deref().unwrap().starts_with("https://shop.example/reset?lang=en&t="));
        assert!(descope.verify_link(&token).await.is_ok());
        assert!(matches!(descope.verify_link(&token).await, Err(Error::Validation(_))), "once");
    }
    let nobody: Email = "nobody@example.com".parse().unwrap();
    assert!(!descope.send_reset_mail(&nobody, "https://shop.example").await.unwrap());
    assert!(!descope.send_magic_link(&nobody, "https://shop.example").await.unwrap());
    assert!(stand_in.inbox(nobody.as_str()).is_empty());
}

#[tokio::test]
async fn sessions_are_refreshed_and_ended_one_by_one_or_all_at_once() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    let first = descope.sign_up(&email(), &password(), ("", "")).await.unwrap().unwrap();
    let second = descope.sign_in(EMAIL, &password()).await.unwrap();
    assert_ne!(descope.refresh(&first.refresh_jwt).await.unwrap().session_jwt, first.session_jwt);
    for _ in 0..2 {
        descope.log_out(&first.refresh_jwt).await.unwrap();
        assert!(matches!(descope.refresh(&first.refresh_jwt).await, Err(Error::SessionRevoked)));
    }
    assert!(descope.refresh(&second.refresh_jwt).await.is_ok());
    let third = descope.sign_in(EMAIL, &password()).await.unwrap();
    descope.log_out_everywhere(&second.refresh_jwt).await.unwrap();
    assert!(descope.refresh(&third.refresh_jwt).await.is_err());
    let fourth = descope.sign_in(EMAIL, &password()).await.unwrap();
    let user_id = fourth.user.unwrap().user_id;
    descope.log_out_user(&user_id).await.unwrap();
    assert!(matches!(descope.me(&fourth.refresh_jwt).await, Err(Error::SessionRevoked)));
    descope.log_out_user("U2nobody").await.unwrap();
}

#[tokio::test]
async fn users_are_made_loaded_changed_and_deleted() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    let user = descope.create_user(&email(), &["staff"]).await.unwrap().unwrap();
    assert!(descope.create_user(&email(), &["staff"]).await.unwrap().is_none(), "there is one");
    assert_eq!((user.verified_email, user.role_names.as_slice()), (true, ["staff".to_owned()].as_slice()));
    assert_eq!(descope.user(&user.user_id).await.unwrap().unwrap(), user);
    assert_eq!(descope.user_with_login_id(EMAIL).await.unwrap().unwrap(), user);
    let patched = descope.patch_user(EMAIL, &json!({ "givenName": "Ada" })).await.unwrap();
    assert_eq!((patched.given_name.as_str(), patched.role_names), ("Ada", user.role_names));
    let promoted = descope.set_roles(EMAIL, &["admin", "staff"]).await.unwrap();
    assert_eq!(promoted.role_names.len(), 2);
    assert!(matches!(descope.set_roles(EMAIL, &["unknown"]).await, Err(Error::Upstream { .. })));
    for _ in 0..2 {
        descope.delete_user(&user.user_id).await.unwrap();
        assert_eq!(descope.user(&user.user_id).await.unwrap(), None);
    }
    assert_eq!(descope.user_with_login_id("no body+x@y.z&loginId=a").await.unwrap(), None);
}

#[tokio::test]
async fn a_user_made_anew_has_roles_but_no_sessions_password_or_phone() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    let old = descope.sign_up(&email(), &password(), ("", "")).await.unwrap().unwrap();
    descope.patch_user(EMAIL, &json!({ "phone": PHONE })).await.unwrap();
    let user = descope.set_roles(EMAIL, &["staff"]).await.unwrap();
    descope.delete_user(&user.user_id).await.unwrap();
    let new = descope.create_proved(Channel::Email, EMAIL, &user.role_names).await.unwrap();
    assert_ne!(new.user_id, user.user_id);
    assert_eq!(new.role_names, ["staff"], "whom the shop trusts");
    assert_eq!(descope.sign_in_as(EMAIL).await.unwrap().user.unwrap().user_id, new.user_id);
    assert_eq!(
        (new.login_ids.as_slice(), new.verified_email, new.phone.as_str()),
        ([EMAIL.to_owned()].as_slice(), true, "")
    );
    assert!(descope.refresh(&old.refresh_jwt).await.is_err());
    assert!(matches!(descope.sign_in(EMAIL, &password()).await, Err(Error::InvalidCredentials)));
    let phone = descope.create_proved(Channel::Sms, PHONE, &[]).await.unwrap();
    assert_eq!((phone.phone.as_str(), phone.verified_phone), (PHONE, true));
    descope.reset_password(&phone.user_id, &password()).await.unwrap();
    assert!(descope.sign_in(PHONE, &password()).await.is_ok());
    descope.forget_password("U2nobody").await.unwrap();
}

#[tokio::test]
async fn a_wrong_project_or_key_is_an_upstream_error_without_the_secret() {
    let stand_in = StandIn::start().await;
    let key = Descope::new(&stand_in.url(), stand_in.project_id(), "wrong-secret-key").unwrap();
    let refused = key.user(PHONE).await.unwrap_err();
    assert!(matches!(refused, Error::Upstream { .. }), "{refused:?}");
    assert!(!format!("{refused:?} {refused}").contains("wrong-secret-key"));
    let project = Descope::new(&stand_in.url(), "P2other", stand_in.management_key()).unwrap();
    assert!(matches!(project.send_code(Channel::Sms, PHONE).await, Err(Error::Upstream { .. })));
}

#[tokio::test]
async fn only_idempotent_calls_are_retried() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    let user = descope.create_user(&email(), &[]).await.unwrap().unwrap();
    for path in ["/v1/mgmt/user", "/v1/mgmt/user/logout", "/v1/mgmt/user/delete"] {
        stand_in.spoil(path, Fault::status(503));
    }
    assert!(descope.user(&user.user_id).await.is_ok());
    assert!(descope.log_out_user(&user.user_id).await.is_ok());
    assert!(descope.delete_user(&user.user_id).await.is_ok());
    for path in ["/v1/auth/password/signup", "/v1/auth/otp/signup-in/sms", "/v1/mgmt/user/create"] {
        stand_in.spoil(path, Fault::status(503));
    }
    assert!(descope.sign_up(&email(), &password(), ("", "")).await.is_err());
    assert!(descope.send_code(Channel::Sms, PHONE).await.is_err());
    assert!(descope.create_user(&email(), &[]).await.is_err());
}

#[tokio::test]
async fn slow_calls_time_out_and_rate_limits_pass_on_retry_after() {
    let stand_in = StandIn::start().await;
    let descope = client(&stand_in);
    stand_in.spoil("/v1/mgmt/user", Fault::delay(Duration::from_secs(30)));
    assert!(matches!(descope.user("U2x").await, Err(Error::UpstreamTimeout { .. })));
    stand_in.spoil("/v1/mgmt/user", Fault::rate_limited(17));
    assert!(matches!(descope.user("U2x").await, Err(Error::Throttled { retry_after_seconds: 17 })));
    let unheard_of = Fault { retry_after: Some(1_000_000), ..Fault::status(429) };
    stand_in.spoil("/v1/mgmt/user", unheard_of);
    assert!(matches!(descope.user("U2x").await, Err(Error::Throttled { retry_after_seconds: 3600 })));
    let away = Descope::new("http://127.0.0.1:9", "P2x", "key").unwrap();
    assert!(matches!(away.user("U2x").await, Err(Error::Upstream { .. })));
}
