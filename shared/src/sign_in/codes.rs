//! One-time codes: sending one to a number or address, and checking it as proof of that number or address.
//!
//! An unregistered number or address is treated like any other: proving it creates an account.

use sqlx::PgConnection;
use tracing::error;

use super::{Identifier, SignIn, proof, tries::Attempt, ways_in};
use crate::{
    Error, Result,
    accounts::{self, User},
    descope::SignedIn,
    http::{ClientAddress, Device},
    metrics::{self, Count},
    session::Session,
};

/// Sends a one-time code, within the rate limits. Unknown numbers and addresses get one as well. Codes cost money, so none
/// are sent while Redis cannot count them.
pub async fn send(sign_in: &SignIn, identifier: &Identifier, address: &ClientAddress) -> Result<()> {
    let recipient = identifier.as_str();
    let limits = &sign_in.limits;
    let mut messages = vec![
        limits.messages_at_once.on(recipient),
        limits.messages_per_recipient.on(recipient),
        limits.messages_per_address.on(&address.0),
    ];
    if let Identifier::Phone(phone) = identifier {
        sign_in.messages.countries.admit(phone)?;
        messages.push(limits.budget.on("all"));
    }
    let counted = sign_in.throttle.insist(&messages).await;
    if matches!(counted, Err(Error::Throttled { .. })) && identifier.phone().is_some() {
        tell_of_the_budget(sign_in).await;
    }
    counted?;
    make_way(sign_in, identifier).await?;
    let sent = sign_in.sessions.descope.send_code(identifier.channel(), recipient).await;
    if let Err(Error::Throttled { .. }) = sent {
        // Descope sent nothing, so the recipient's count is given back; the requesting IP address stays counted.
        sign_in.throttle.give_back(messages.get(..2).unwrap_or_default()).await;
    }
    sent.inspect(|()| metrics::count(Count::OtpSent))
}

/// Raises the alarm if it was the budget over all numbers that refused a code: an attacker may be spending it.
async fn tell_of_the_budget(sign_in: &SignIn) {
    if let Err(Error::Throttled { retry_after_seconds }) =
        sign_in.throttle.peek(&[sign_in.limits.budget.on("all")]).await
    {
        error!(retry_after_seconds, "the hourly budget of one-time codes is spent: no number gets one");
        metrics::count(Count::OtpBudgetSpent);
    }
}

/// Deletes a Descope user that would receive the code instead of the owner: the project id suffices to create a Descope
/// user with this login id and another number or address, to which the code would go.
async fn make_way(sign_in: &SignIn, identifier: &Identifier) -> Result<()> {
    let descope = &sign_in.sessions.descope;
    let Some(user) = descope.user_with_login_id(identifier.as_str()).await? else { return Ok(()) };
    // A user with a role is kept: only the shop assigns roles.
    if user.is_reached_at(identifier.channel(), identifier.as_str()) || !user.role_names.is_empty() {
        return Ok(());
    }
    let known = accounts::identity(&sign_in.sessions.database, &user.user_id).await?;
    if known.is_some_and(|known| known.is_proven) {
        return Ok(());
    }
    descope.delete_user(&user.user_id).await?;
    if known.is_some() {
        let unlink = async |connection: &mut PgConnection| accounts::unlink(connection, &user.user_id).await;
        sign_in.sessions.database.transaction(unlink).await?;
    }
    Ok(())
}

/// Signs in with a code, or, within a session, adds the proved number or address to its account. Returns the user and
/// the tokens to continue with.
pub async fn prove(
    sign_in: &SignIn,
    session: Option<&Session>,
    identifier: &Identifier,
    code: &str,
    address: &ClientAddress,
    device: &Device,
) -> Result<(User, SignedIn)> {
    if let Some(session) = session {
        // Before the code is used up.
        ways_in::refuse_stale_proof(&sign_in.sessions.database.pool(), session, identifier).await?;
    }
    let attempt = Attempt::begin(sign_in, [identifier.as_str()], address).await?;
    let prove = async {
        let signed_in = sign_in.sessions.descope.verify_code(identifier.channel(), identifier.as_str(), code).await?;
        match session {
            Some(session) => proof::from_within(sign_in, signed_in, identifier, session, device).await,
            None => proof::from_outside(sign_in, signed_in, identifier, device).await,
        }
    };
    attempt.end(prove.await).await
}
