//! Which channels are configured, for those who do not have the carriers' settings.

use sqlx::PgExecutor;

use crate::carriers::Channel;

/// Notes the configured channels in the order in which they are tried.
pub async fn note_channels(executor: impl PgExecutor<'_>, channels: &[Channel]) -> sqlx::Result<()> {
    let names: Vec<String> = channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    sqlx::query!(
        "
        with off as (
            delete from message_channels where channel <> all ($1)
        )
        insert into message_channels (channel, place)
        select channel, place from unnest($1::text[]) with ordinality as configured (channel, place)
        on conflict (channel) do update set place = excluded.place where message_channels.place <> excluded.place
        ",
        &names
    )
    .execute(executor)
    .await
    .map(drop)
}

/// The channels that were configured when messages were last sent, in the order in which they are tried.
pub async fn channels(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Channel>> {
    sqlx::query_scalar!(r#"select channel as "channel: Channel" from message_channels order by place, channel"#)
        .fetch_all(executor)
        .await
}
