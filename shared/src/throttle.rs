//! Rate limits: counters in Redis, one atomic decision per request.

mod guess;

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::Pipeline;
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::{
    Error, Result,
    config::{self, Variable},
    redis::{self as link, Redis},
};

/// Counts one request against every limit, or against none when one of them is used up or the last argument is 0.
/// Returns the milliseconds to wait, 0 when the request may pass. The last key is the decision's own: a script that is
/// sent again because its answer was lost returns the first answer and counts nothing.
const DECIDE: &str = "\
local decision = KEYS[#KEYS]
local before = redis.call('GET', decision)
if before then return tonumber(before) end
local wait = 0
for i = 1, #KEYS - 1 do
  local key = KEYS[i]
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if ARGV[#ARGV] == '0' then return wait end
if wait == 0 then
  for i = 1, #KEYS - 1 do
    if redis.call('INCR', KEYS[i]) == 1 then redis.call('PEXPIRE', KEYS[i], ARGV[2 * i]) end
  end
end
redis.call('SET', decision, wait, 'PX', 5000)
return wait";

/// Takes one request back from every counter, once: see [`DECIDE`].
const GIVE_BACK: &str = "\
local decision = KEYS[#KEYS]
if not redis.call('SET', decision, 0, 'NX', 'PX', 5000) then return end
for i = 1, #KEYS - 1 do
  if tonumber(redis.call('GET', KEYS[i]) or '0') > 0 then redis.call('DECR', KEYS[i]) end
end";

/// Counts a failure. Each one beyond a number makes another counter full, for twice as long as the one before.
const SLOW: &str = "\
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local beyond = count - tonumber(ARGV[1])
if beyond > 0 then
  local pause = math.min(1000 * 2 ^ math.min(beyond - 1, 20), tonumber(ARGV[4]))
  redis.call('SET', KEYS[2], ARGV[3], 'PX', string.format('%d', pause))
end";

/// A number of requests per time window, for each caller of a class.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    class: &'static str,
    count: u32,
    window: Duration,
}

impl Limit {
    /// A limit whose count can be overridden by an environment variable.
    pub fn from_env(
        class: &'static str,
        variable: Variable,
        count: u32,
        window: Duration,
    ) -> Result<Self, config::Error> {
        Ok(Self::new(class, config::or_default(variable, count)?, window))
    }

    pub const fn new(class: &'static str, count: u32, window: Duration) -> Self {
        Self { class, count, window }
    }

    /// Reads of catalogue, shop and slots: 300 per minute and IP address by default (`THROTTLE_PUBLIC_READS`).
    pub fn public_reads() -> Result<Self, config::Error> {
        Self::from_env("public-reads", config::THROTTLE_PUBLIC_READS, 300, Duration::from_mins(1))
    }

    /// This limit for one caller: an IP address, a phone number.
    pub fn on<'a>(&self, caller: &'a str) -> Claim<'a> {
        Claim { limit: *self, caller }
    }
}

/// A limit and the caller whose requests are counted.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    limit: Limit,
    caller: &'a str,
}

/// The first time that commands are sent, or once more because the answer was lost: what may have been counted then is not
/// counted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    Again,
}

/// Enforces rate limits. A request counts once, even if Redis's answer was lost and the script was sent again.
#[derive(Clone, Debug)]
pub struct Throttle {
    redis: Redis,
    is_on: bool,
}

impl Throttle {
    /// Reads `THROTTLE`: `off` switches all limits off, for load tests. A deployed function ignores it.
    pub fn from_env(redis: Redis) -> Self {
        Self::new(redis, !is_off())
    }

    /// A throttle that counts in this Redis or, if it is off, lets every request pass.
    pub fn new(redis: Redis, is_on: bool) -> Self {
        Self { redis, is_on }
    }

    /// Counts the request, or refuses it with [`Error::Throttled`]. Lets it pass while Redis is unavailable.
    pub async fn check(&self, claims: &[Claim<'_>]) -> Result<()> {
        let wait = self.decide(claims, true).await;
        verdict(wait.unwrap_or_else(|error| let_pass(&error)))
    }

    /// As [`Self::check`], but refuses the request with [`Error::Redis`] while Redis is unavailable: for what costs
    /// money.
    pub async fn insist(&self, claims: &[Claim<'_>]) -> Result<()> {
        verdict(self.decide(claims, true).await?)
    }

    /// As [`Self::check`], but counts nothing: for limits that only some requests use up.
    pub async fn peek(&self, claims: &[Claim<'_>]) -> Result<()> {
        let wait = self.decide(claims, false).await;
        verdict(wait.unwrap_or_else(|error| let_pass(&error)))
    }

    async fn decide(&self, claims: &[Claim<'_>], counts: bool) -> Result<u64, link::Error> {
        let mut commands = Pipeline::new();
        if !self.is_on {
            return Ok(0);
        }
        let command = commands.cmd("EVAL").arg(DECIDE).arg(claims.len() + 1);
        for claim in claims {
            command.arg(self.counter(claim));
        }
        command.arg(self.decision());
        for claim in claims {
            command.arg(claim.limit.count).arg(milliseconds(claim.limit.window));
        }
        command.arg(i32::from(counts));
        self.redis.run::<(u64,)>(&commands).await.map(|(wait,)| wait)
    }

    /// The result of a request's check, by what Redis counted. A refused one takes another round trip, for the time to wait.
    pub(crate) async fn verdict(&self, claim: &Claim<'_>, counted: Option<u32>) -> Result<()> {
        if !self.is_on || counted.is_none_or(|counted| counted <= claim.limit.count) {
            return Ok(());
        }
        let mut commands = Pipeline::new();
        commands.cmd("PTTL").arg(self.counter(claim));
        let left = self.redis.run::<(i64,)>(&commands).await.map_or(1, |(left,)| left.max(1));
        verdict(left.unsigned_abs())
    }

    /// Undoes the count of [`Self::check`], for a request that had no effect.
    pub async fn give_back(&self, claims: &[Claim<'_>]) {
        if !self.is_on {
            return;
        }
        let mut commands = Pipeline::new();
        let command = commands.cmd("EVAL").arg(GIVE_BACK).arg(claims.len() + 1);
        for claim in claims {
            command.arg(self.counter(claim));
        }
        command.arg(self.decision()).ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "rate limit not given back");
        }
    }

    /// Counts a failure against `failures`. Each one beyond its limit uses `pause` up: for a second, then for twice as
    /// long each time, at most for its window.
    pub async fn slow(&self, failures: Claim<'_>, pause: Claim<'_>) {
        if !self.is_on {
            return;
        }
        let mut commands = Pipeline::new();
        let command = commands.cmd("EVAL").arg(SLOW).arg(2);
        command.arg(self.counter(&failures)).arg(self.counter(&pause));
        for Claim { limit, .. } in [failures, pause] {
            command.arg(limit.count).arg(milliseconds(limit.window));
        }
        command.ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "a failure was not counted");
        }
    }

    /// Adds the count of a request to commands that are sent to Redis anyway. For a limit that no other one decides with and
    /// that no request gives back: then commands do, in a fraction of a script's time. What Redis counted is for
    /// [`Self::verdict`].
    pub(crate) fn append(&self, commands: &mut Pipeline, claim: &Claim<'_>, attempt: Attempt) {
        let counter = self.counter(claim);
        let command = if self.is_on && attempt == Attempt::First { "INCR" } else { "GET" };
        commands.cmd(command).arg(&counter);
        // `NX`: the window begins with the first request. Sent each time, so that no counter stays without an end.
        commands.cmd("PEXPIRE").arg(&counter).arg(milliseconds(claim.limit.window)).arg("NX").ignore();
    }

    fn counter(&self, claim: &Claim<'_>) -> String {
        self.redis.key(["throttle:", claim.limit.class, ":", &digest(claim.caller)])
    }

    /// A key for one decision, which no other decision of any environment has.
    fn decision(&self) -> String {
        static ENVIRONMENT: LazyLock<String> = LazyLock::new(|| {
            let mut bytes = [0; 16];
            let _ = getrandom::fill(&mut bytes);
            hex::encode(bytes)
        });
        static DECISIONS: AtomicU64 = AtomicU64::new(0);
        let number = DECISIONS.fetch_add(1, Ordering::Relaxed);
        self.redis.key(["throttle:decision:", &ENVIRONMENT, ":", &number.to_string()])
    }
}

/// Limits do not hold while Redis is unavailable.
fn let_pass(error: &link::Error) -> u64 {
    warn!(%error, "rate limit not checked");
    0
}

fn milliseconds(window: Duration) -> u64 {
    u64::try_from(window.as_millis()).unwrap_or(u64::MAX)
}

/// Whether `THROTTLE` switches all limits off. A deployed function ignores it.
pub fn is_off() -> bool {
    !config::is_deployed() && config::optional(config::THROTTLE).is_some_and(|value| value.eq_ignore_ascii_case("off"))
}

/// Turns the wait that Redis answered into the result of the request's check.
fn verdict(wait_milliseconds: u64) -> Result<()> {
    match wait_milliseconds {
        0 => Ok(()),
        wait => Err(Error::Throttled { retry_after_seconds: wait.div_ceil(1000) }),
    }
}

/// A caller may be a phone number, so Redis holds only its hash.
fn digest(caller: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(caller).into();
    hex::encode(&hash[..16])
}
