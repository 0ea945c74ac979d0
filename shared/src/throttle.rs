//! Rate limits: counters in Redis, one atomic decision per request.

use std::time::Duration;

use redis::Pipeline;
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::{
    Error, Result,
    config::{self, Variable},
    redis::Redis,
};

/// Counts one request against every limit, or against none when one of them is used up or the last argument is 0.
/// Returns the milliseconds to wait, 0 when the request may pass.
const DECIDE: &str = "\
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait > 0 or ARGV[#ARGV] == '0' then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0";

/// Takes one request back from every counter.
const GIVE_BACK: &str = "\
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
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

/// Enforces rate limits.
#[derive(Clone, Debug)]
pub struct Throttle {
    redis: Redis,
    is_on: bool,
}

impl Throttle {
    /// Reads `THROTTLE`: `off` switches all limits off, for load tests. A deployed function ignores it.
    pub fn from_env(redis: Redis) -> Self {
        let is_off = config::optional(config::THROTTLE).is_some_and(|value| value.eq_ignore_ascii_case("off"));
        Self::new(redis, config::is_deployed() || !is_off)
    }

    /// A throttle that counts in this Redis or, if it is off, lets every request pass.
    pub fn new(redis: Redis, is_on: bool) -> Self {
        Self { redis, is_on }
    }

    /// Counts the request, or refuses it with [`Error::Throttled`]. Lets it pass while Redis is unavailable.
    pub async fn check(&self, claims: &[Claim<'_>]) -> Result<()> {
        self.decide(claims, true).await
    }

    /// As [`Self::check`], but counts nothing: for limits that only some requests use up.
    pub async fn peek(&self, claims: &[Claim<'_>]) -> Result<()> {
        self.decide(claims, false).await
    }

    async fn decide(&self, claims: &[Claim<'_>], counts: bool) -> Result<()> {
        let mut commands = Pipeline::new();
        if !self.append_decision(&mut commands, claims, counts) {
            return Ok(());
        }
        match self.redis.run::<(u64,)>(&commands).await {
            Ok((wait,)) => verdict(wait),
            Err(error) => {
                warn!(%error, "rate limit not checked");
                Ok(())
            }
        }
    }

    /// Undoes the count of [`Self::check`], for a request that had no effect.
    pub async fn give_back(&self, claims: &[Claim<'_>]) {
        if !self.is_on {
            return;
        }
        let mut commands = Pipeline::new();
        let command = commands.cmd("EVAL").arg(GIVE_BACK).arg(claims.len());
        for claim in claims {
            command.arg(self.counter(claim));
        }
        command.ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "rate limit not given back");
        }
    }

    /// Adds the decision to commands that are sent to Redis anyway; `false` if limits are off. The answer is for
    /// [`verdict`].
    pub fn append(&self, commands: &mut Pipeline, claims: &[Claim<'_>]) -> bool {
        self.append_decision(commands, claims, true)
    }

    fn append_decision(&self, commands: &mut Pipeline, claims: &[Claim<'_>], counts: bool) -> bool {
        if !self.is_on {
            return false;
        }
        let command = commands.cmd("EVAL").arg(DECIDE).arg(claims.len());
        for claim in claims {
            command.arg(self.counter(claim));
        }
        for claim in claims {
            let window = u64::try_from(claim.limit.window.as_millis()).unwrap_or(u64::MAX);
            command.arg(claim.limit.count).arg(window);
        }
        command.arg(i32::from(counts));
        true
    }

    fn counter(&self, claim: &Claim<'_>) -> String {
        self.redis.key(&format!("throttle:{}:{}", claim.limit.class, digest(claim.caller)))
    }
}

/// Turns the wait that Redis answered into the result of the request's check.
pub fn verdict(wait_milliseconds: u64) -> Result<()> {
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
