//! Guesses of credentials: each is counted before it is looked up, so that of many at once no more than the limit are.

use std::time::Duration;

use redis::Pipeline;
use tracing::warn;

use super::{Claim, Throttle, digest, let_pass, milliseconds, verdict};
use crate::Result;

/// How long a credential that was right is looked up without being counted.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Counts a guess, unless its credential was right before. Returns the milliseconds to wait, and whether it was counted. The last key is the decision's own: see [`super::DECIDE`].
const BEGIN: &str = "\
local counter, right, decision = KEYS[1], KEYS[2], KEYS[3]
local before = redis.call('GET', decision)
if before then return {0, tonumber(before)} end
if tonumber(redis.call('GET', counter) or '0') >= tonumber(ARGV[1]) then
  return {math.max(redis.call('PTTL', counter), 1), 0}
end
if redis.call('EXISTS', right) == 1 then return {0, 0} end
if redis.call('INCR', counter) == 1 then redis.call('PEXPIRE', counter, ARGV[2]) end
redis.call('SET', decision, 1, 'PX', 5000)
return {0, 1}";

/// What Redis knows of a guess when it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Counted,
    /// Not counted: the credential was right before.
    Remembered,
    /// Not counted: limits are off, or Redis is away.
    Unlimited,
}

impl Throttle {
    /// Looks a credential up within a limit of wrong ones. The guess stays counted unless the credential is right or the
    /// look-up fails. A right one is remembered: its later uses take one round trip and do not count, even many at once.
    pub async fn guess<T>(
        &self,
        wrong: Claim<'_>,
        credential: &str,
        look_up: impl Future<Output = Result<T>>,
        is_right: impl FnOnce(&T) -> bool,
    ) -> Result<T> {
        let remembered = self.redis.key(["throttle:right:", wrong.limit.class, ":", &digest(credential)]);
        let begun = self.begin(wrong, &remembered).await?;
        let found = look_up.await;
        let is_right = found.as_ref().ok().map(is_right);
        match (begun, is_right) {
            (Begun::Counted, Some(true)) => {
                self.tell(Pipeline::new().cmd("SET").arg(&remembered).arg(1).arg("PX").arg(milliseconds(REMEMBERED)))
                    .await;
                self.give_back(&[wrong]).await;
            }
            (Begun::Counted, None) => self.give_back(&[wrong]).await,
            // It has ended since it was right.
            (Begun::Remembered, Some(false)) => {
                self.tell(Pipeline::new().cmd("DEL").arg(&remembered)).await;
                self.check(&[wrong]).await?;
            }
            _ => {}
        }
        found
    }

    async fn begin(&self, wrong: Claim<'_>, remembered: &str) -> Result<Begun> {
        if !self.is_on {
            return Ok(Begun::Unlimited);
        }
        let mut commands = Pipeline::new();
        let command = commands.cmd("EVAL").arg(BEGIN).arg(3);
        command.arg(self.counter(&wrong)).arg(remembered).arg(self.decision());
        command.arg(wrong.limit.count).arg(milliseconds(wrong.limit.window));
        match self.redis.run::<((u64, bool),)>(&commands).await {
            Ok(((wait, is_counted),)) => {
                verdict(wait)?;
                Ok(if is_counted { Begun::Counted } else { Begun::Remembered })
            }
            Err(error) => {
                verdict(let_pass(&error))?;
                Ok(Begun::Unlimited)
            }
        }
    }

    /// Sends a command whose loss does no harm.
    async fn tell(&self, command: &Pipeline) {
        if let Err(error) = self.redis.run::<()>(command).await {
            warn!(%error, "a guess was not remembered");
        }
    }
}
