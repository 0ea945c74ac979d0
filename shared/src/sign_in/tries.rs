//! Attempts at a password or a code. No one can lock another person out: failures count for an identifier together with
//! the network they come from, and for an IP address. Many failures for one identifier from many networks only slow
//! those networks that have failed themselves.

use super::SignIn;
use crate::{Error, Result, http::ClientAddress, throttle::Claim};

/// An attempt that counts as failed until it has succeeded, so that concurrent ones cannot exceed the limits.
#[derive(Debug)]
pub struct Attempt<'a> {
    sign_in: &'a SignIn,
    address: &'a ClientAddress,
    /// Each with itself and the network that it is tried from.
    identifiers: Vec<(&'a str, String)>,
}

impl<'a> Attempt<'a> {
    /// Counts an attempt for these identifiers; 429 if they or the address have used up their limits.
    pub async fn begin(
        sign_in: &'a SignIn,
        identifiers: impl IntoIterator<Item = &'a str>,
        address: &'a ClientAddress,
    ) -> Result<Self> {
        let network = address.network();
        let with_network = |identifier: &'a str| (identifier, format!("{identifier} from {network}"));
        let attempt = Self { sign_in, address, identifiers: identifiers.into_iter().map(with_network).collect() };
        let pauses: Vec<Claim<'_>> = attempt.pauses().map(|(_, pause)| pause).collect();
        sign_in.throttle.peek(&pauses).await?;
        sign_in.throttle.check(&attempt.claims()).await?;
        Ok(attempt)
    }

    /// Counts the outcome: a wrong password or code stays counted, anything else does not.
    pub async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        let throttle = &self.sign_in.throttle;
        if matches!(outcome, Err(Error::InvalidCredentials | Error::InvalidOtp)) {
            for (failures, pause) in self.pauses() {
                throttle.slow(failures, pause).await;
            }
        } else {
            throttle.give_back(&self.claims()).await;
        }
        outcome
    }

    fn claims(&self) -> Vec<Claim<'_>> {
        let limits = &self.sign_in.limits;
        let of_identifiers = self.identifiers.iter().map(|(_, here)| limits.tries_per_identifier.on(here));
        of_identifiers.chain([limits.tries_per_address.on(&self.address.0)]).collect()
    }

    /// The failures of each identifier from everywhere, and its pause here.
    fn pauses(&self) -> impl Iterator<Item = (Claim<'_>, Claim<'_>)> {
        let limits = &self.sign_in.limits;
        self.identifiers.iter().map(|(identifier, here)| (limits.failures.on(identifier), limits.pause.on(here)))
    }
}
