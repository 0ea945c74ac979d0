//! What the queries of all catalogue tables have in common.
//!
//! Each macro is given the SQL of one table, and adds the part that is the same for all of them. In a list the table is
//! called `record`, and its id is a number: one code serves the pages of all five tables. The writers have the table's own
//! type of id.

/// Defines `rows`, which queries a page of a list: the table's own columns and joins; then, for all tables, search, state,
/// days, order and page.
///
/// `$1` of the SQL is the text searched for, `$8` the id that the table's own filter has in an address. A `number` or `text`
/// can be sorted by, under its key.
macro_rules! rows {
    (
        select $columns:literal,
        from $tables:literal,
        search $search:literal
        $(, filter $name:literal $filter:literal)?
        $(, number $number:literal $by_number:literal)*
        $(, text $text:literal $by_text:literal)*
        $(,)?
    ) => {
        async fn rows(database: &Database, ask: &$crate::kit::ask::Ask) -> Result<$crate::kit::rows::Rows<Row>> {
            let rows = sqlx::query_as!(
                Row,
                "select " + $columns + r#", record.id, record.name, record.archived_at is not null as "is_archived!",
                    shop_clock(record.created_at) as "created!", count(*) over () as "count!"
                from "# + $tables + "
                where ($1::text is null or " + $search + ")
                    and ($2::date is null or shop_clock(record.created_at)::date >= $2)
                    and ($3::date is null or shop_clock(record.created_at)::date <= $3)
                    and ($4::boolean is null or (record.archived_at is not null) = $4)
                " $(+ " and ($8::bigint is null or " + $filter + ")")? + "
                order by
                    case $5 when 'id' then record.id when 'created' then extract(epoch from record.created_at)
                        " $(+ " when '" + $number + "' then " + $by_number)* + " end,
                    case $5 when '-id' then record.id when '-created' then extract(epoch from record.created_at)
                        " $(+ " when '-" + $number + "' then " + $by_number)* + " end desc,
                    case $5 when '-name' then lower(record.name)
                        " $(+ " when '-" + $text + "' then " + $by_text)* + " end desc,
                    case $5 when 'name' then lower(record.name)
                        " $(+ " when '" + $text + "' then " + $by_text)* + " end,
                    lower(record.name), record.id
                limit $6 offset $7",
                ask.pattern(),
                ask.day("created_from"),
                ask.day("created_to"),
                $crate::catalogue::record::archived(ask),
                ask.sort(),
                ask.limit(),
                ask.offset()
                $(, ask.id($name))?
            )
            .fetch_all(&database.pool())
            .await?;
            let count = rows.first().map_or(0, |row| row.count);
            Ok($crate::kit::rows::Rows::numbered(rows, count, ask))
        }
    };
}

/// Defines `find`, `holder` and the four writes of a table; the writes are those of its module in `shared::catalogue`.
///
/// `form` has the columns of a form and their values by the names of the inputs. `unique` says which row on offer has the
/// name that a row of these values cannot take.
macro_rules! stored {
    (
        $table:literal, $writers:ident,
        form $columns:literal, |$row:ident| [$($input:literal: $text:expr),+ $(,)?],
        unique $condition:literal, |$new:ident| [$($value:expr),+ $(,)?]
    ) => {
        const TABLE: &'static str = $table;

        async fn find(connection: &mut sqlx::PgConnection, id: i64) -> Result<Option<$crate::catalogue::Stored>> {
            let row = sqlx::query!(
                "select " + $columns + r#", archived_at is not null as "is_archived!",
                    (extract(epoch from updated_at) * 1000000)::bigint as "version!"
                from "# + $table + " where id = $1",
                id
            )
            .fetch_optional(connection)
            .await?;
            Ok(row.map(|$row| $crate::catalogue::Stored {
                is_archived: $row.is_archived,
                name: $row.name.clone(),
                present: $crate::kit::stale::Present::new($row.version, vec![$(($input, $text)),+]),
            }))
        }

        async fn holder(&self, database: &Database) -> Result<Option<i64>> {
            let $new = &self.0;
            let found = sqlx::query_scalar!(
                "select id from " + $table + " where archived_at is null and " + $condition,
                $($value),+
            );
            Ok(found.fetch_optional(&database.pool()).await?)
        }

        async fn add(&self, connection: &mut sqlx::PgConnection) -> Result<i64> {
            Ok($writers::add(connection, &self.0).await?.0)
        }

        async fn rewrite(&self, connection: &mut sqlx::PgConnection, id: i64) -> Result<bool> {
            $writers::rewrite(connection, id.into(), &self.0).await
        }

        async fn archive(connection: &mut sqlx::PgConnection, id: i64) -> Result<bool> {
            $writers::archive(connection, id.into()).await
        }

        async fn restore(connection: &mut sqlx::PgConnection, id: i64) -> Result<bool> {
            $writers::restore(connection, id.into()).await
        }
    };
}

/// Defines `dependents` and `links`: what depends on the record `$1` and how many there are, with the words and the address,
/// without the id, of the link to their list. The `bookings` to come are counted for all tables.
macro_rules! dependents {
    ($($what:literal, $link:literal, $list:literal, $count:literal;)* bookings $bookings:literal) => {
        async fn dependents(connection: &mut sqlx::PgConnection, id: i64) -> Result<$crate::catalogue::Dependents> {
            let counts = sqlx::query_scalar!(
                "select array[" $(+ "(" + $count + "), ")* + "(
                    select count(distinct booking.id) from bookings booking " + $bookings + "
                        and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')
                )] as \"counts!\"",
                id
            )
            .fetch_one(connection)
            .await?;
            let kinds = [$(($what, format!("{}{id}", $list)),)* ("bookings to come", String::new())];
            Ok(counts.into_iter().zip(kinds).map(|(count, (what, list))| (count, what, list)).collect())
        }

        fn links(id: i64) -> Vec<(String, &'static str)> {
            vec![$((format!("{}{id}", $list), $link)),*]
        }
    };
}

/// Defines `choices` of a module: id and name of the rows on offer, for an input or a filter.
macro_rules! choices {
    ($query:literal) => {
        pub(super) async fn choices(database: &Database) -> Result<Vec<(String, String)>> {
            let rows = sqlx::query!($query).fetch_all(&database.pool()).await?;
            Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
        }
    };
}

pub(super) use {choices, dependents, rows, stored};
