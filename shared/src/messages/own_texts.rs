//! The shop's own words in mails of a kind, which stand before ours.

use sqlx::{PgConnection, PgExecutor};

use super::Kind;
use crate::language::Language;

/// The longest of them, in characters.
pub const LONGEST_OWN_TEXT: usize = 2000;

/// The shop's words of a kind; empty where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnTexts {
    pub english: String,
    pub hindi: String,
    /// The time of the last change in microseconds; 0 without words.
    pub version: i64,
}

impl OwnTexts {
    /// The words in a language, if there are any.
    pub fn of(&self, language: Language) -> Option<String> {
        let text = match language {
            Language::English => &self.english,
            Language::Hindi => &self.hindi,
        };
        (!text.is_empty()).then(|| text.clone())
    }

    pub async fn find(executor: impl PgExecutor<'_>, kind: Kind) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"
            select coalesce(max(text) filter (where language = 'en'), '') as "english!",
                coalesce(max(text) filter (where language = 'hi'), '') as "hindi!",
                coalesce((extract(epoch from max(updated_at)) * 1000000)::bigint, 0) as "version!"
            from message_texts where kind = $1
            "#,
            kind as Kind
        )
        .fetch_one(executor)
        .await
    }

    /// Saves the words of a kind; an empty text is deleted. The next message has them.
    pub async fn save(&self, connection: &mut PgConnection, kind: Kind) -> sqlx::Result<()> {
        for language in Language::ALL {
            match self.of(language) {
                Some(text) => sqlx::query!(
                    "
                    insert into message_texts (kind, language, text) values ($1, $2, $3)
                    on conflict (kind, language) do update set text = excluded.text, updated_at = clock_timestamp()
                    where message_texts.text <> excluded.text
                    ",
                    kind as Kind,
                    language as Language,
                    text
                ),
                None => sqlx::query!(
                    "delete from message_texts where kind = $1 and language = $2",
                    kind as Kind,
                    language as Language
                ),
            }
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}
