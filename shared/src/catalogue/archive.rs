//! Archive and restore of a row: the same for every table of the catalogue.

/// Defines `archive` and `restore` for a table whose rows the API calls `$name`, with ids of the type `$id`.
macro_rules! archivable {
    ($table:literal, $name:literal, $id:ty) => {
        /// Archives a row; `false` if it is archived already, 404 if it does not exist.
        pub async fn archive(connection: &mut PgConnection, id: $id) -> Result<bool> {
            set_archived(connection, id, true).await
        }

        /// Restores an archived row; `false` if it is not archived, 409 on `name` if the name was taken meanwhile.
        pub async fn restore(connection: &mut PgConnection, id: $id) -> Result<bool> {
            set_archived(connection, id, false).await
        }

        async fn set_archived(connection: &mut PgConnection, id: $id, is_archived: bool) -> Result<bool> {
            let changed = sqlx::query_scalar!(
                "with present as (
                    select id, (archived_at is not null) <> $2 as differs from "
                    + $table
                    + " where id = $1 for no key update
                ), written as (
                    update "
                    + $table
                    + " as kept set archived_at = case when $2 then now() end, updated_at = now()
                    from present where kept.id = present.id and present.differs
                )
                select differs as \"differs!\" from present",
                id.0,
                is_archived
            )
            .fetch_optional(connection)
            .await
            .map_err(refused)?;
            changed.ok_or(Error::NotFound($name))
        }
    };
}
pub(super) use archivable;
