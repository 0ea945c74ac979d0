//! A change of many prices that is shown before it is made, and made only as it was shown.

use lambda_http::http::StatusCode;
use shared::{
    Error, Result, catalogue,
    idempotency::{self, Answer},
    session::sha256,
};
use sqlx::PgConnection;

use super::{
    amount::HIGHEST,
    choice::Choice,
    draft::change,
    offers::{self, Offer, Pair},
    raise::Raise,
};
use crate::{App, kit::form::Form, session::Person};

/// One price before and after. They differ.
#[derive(Debug)]
pub(super) struct Change {
    /// The line of the file that it comes from.
    pub(super) line: Option<u64>,
    pub(super) pair: Pair,
    pub(super) service: String,
    /// With the brand.
    pub(super) model: String,
    pub(super) old: Option<i64>,
    pub(super) new: Option<i64>,
}

/// All changes, and how many prices stay as they are.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    pub(super) unchanged: usize,
}

impl Plan {
    pub(super) fn add(&mut self, change: Change) {
        if change.old == change.new {
            self.unchanged += 1;
        } else {
            self.changes.push(change);
        }
    }

    /// A hash of all old and new prices: the same plan on the same prices has the same one.
    pub(super) fn fingerprint(&self) -> String {
        let mut words: Vec<_> = self.changes.iter().map(|change| (change.pair, change.old, change.new)).collect();
        words.sort_unstable();
        let words = words.into_iter().map(|(pair, old, new)| {
            let paise = |paise: Option<i64>| paise.map(|paise| paise.to_string()).unwrap_or_default();
            format!("{}-{}:{}>{}", pair.service_id, pair.vehicle_model_id, paise(old), paise(new))
        });
        hex::encode(sha256(&words.collect::<Vec<_>>().join(" ")))
    }

    /// The new prices, for a hidden input.
    pub(super) fn compact(&self) -> String {
        offers::compact(self.changes.iter().map(|change| (change.pair, change.new)))
    }

    /// How many new prices are above the highest one.
    pub(super) fn too_high(&self) -> usize {
        self.changes.iter().filter(|change| change.new.is_some_and(|paise| paise > HIGHEST)).count()
    }
}

/// What a plan is made from, so that it can be made again when it is confirmed.
#[derive(Debug)]
pub(super) enum Source {
    Percent(Raise),
    /// The prices of a file that differed from the saved ones when it was read.
    File(Vec<(Pair, Option<i64>)>),
}

impl Source {
    /// The plan on the prices of now.
    pub(super) async fn plan(&self, connection: &mut PgConnection) -> Result<Plan> {
        match self {
            Self::Percent(raise) => Ok(raised(raise, &offers::load(connection, Choice::brand(raise.brand)).await?)),
            Self::File(prices) => sent(connection, prices).await,
        }
    }
}

pub(super) fn raised(raise: &Raise, offers: &[Offer]) -> Plan {
    let mut plan = Plan::default();
    for offer in offers {
        let Some(new) = raise.of(offer) else { continue };
        plan.add(Change {
            line: None,
            pair: offer.pair(),
            service: offer.service.clone(),
            model: format!("{} {}", offer.brand, offer.model),
            old: offer.paise,
            new: Some(new),
        });
    }
    plan
}

/// Prices of services and models that are no longer on offer are left out.
async fn sent(connection: &mut PgConnection, prices: &[(Pair, Option<i64>)]) -> Result<Plan> {
    let pairs: Vec<Pair> = prices.iter().map(|(pair, _)| *pair).collect();
    let known = offers::look_up(connection, &pairs).await?;
    let mut plan = Plan::default();
    for (&(pair, new), known) in prices.iter().zip(known) {
        let (Some(service), Some(brand), Some(model)) = (known.service, known.brand, known.model) else { continue };
        plan.add(Change { line: None, pair, service, model: format!("{brand} {model}"), old: known.paise, new });
    }
    Ok(plan)
}

/// What became of a confirmed plan.
pub(super) enum Outcome {
    Saved(u64),
    /// Prices have changed since it was shown. Nothing was written.
    Stale,
    /// Redis does not answer. Nothing was written.
    Refused,
}

/// The scope of the keys that make a confirmation work once.
const PLANS: &str = "panel prices";

/// Makes the changes that were shown, all or none.
pub(super) async fn write(app: &App, person: &Person, source: &Source, form: &Form) -> Result<Outcome> {
    let (key, shown) = (form.key()?, form.value("fingerprint"));
    let write = async |connection: &mut PgConnection| {
        if let Some(before) = idempotency::claim(connection, PLANS, &key, shown.as_bytes()).await? {
            return Ok((String::from_utf8_lossy(before.body()).parse().unwrap_or_default(), false));
        }
        let plan = source.plan(connection).await?;
        if plan.fingerprint() != shown || plan.too_high() > 0 {
            return Err(Halt::Stale);
        }
        let prices: Vec<_> = plan.changes.iter().map(|one| change(one.pair, one.new)).collect();
        let count = catalogue::prices::set(connection, &prices).await?;
        let answer = Answer::new(StatusCode::SEE_OTHER, count.to_string().into_bytes());
        idempotency::keep(connection, PLANS, &key, &answer, idempotency::DAY).await?;
        Ok((count, count > 0))
    };
    match catalogue::change(app.database(), &app.redis, &person.author(), write).await {
        Ok((count, _)) => Ok(Outcome::Saved(count)),
        Err(Halt::Stale) => Ok(Outcome::Stale),
        Err(Halt::Failed(Error::Redis(_))) => Ok(Outcome::Refused),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// Why the transaction of a plan is rolled back, with the key that it has claimed.
enum Halt {
    Stale,
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<shared::redis::Error> for Halt {
    fn from(error: shared::redis::Error) -> Self {
        Self::Failed(error.into())
    }
}
