//! What each list shows: its columns, filters and search, and where their values are in the database.

/// A column: its title, the key to sort by, its cell in a file, and what it is sorted by.
pub(super) struct Column(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
);

/// A filter by the name of its inputs.
pub(super) enum Filter {
    /// Every value that can be chosen, with the condition that it stands for.
    All(&'static str, &'static [(&'static str, &'static str)]),
    /// Some values of many.
    Some(&'static str, &'static [(&'static str, &'static str)]),
    /// `{name}_from` and `{name}_to`, with the day that they are about.
    Days(&'static str, &'static str),
}

pub(super) struct Listed {
    pub(super) path: &'static str,
    pub(super) from: &'static str,
    /// What is listed without a filter.
    pub(super) shown: &'static str,
    /// The titles of the columns that tell rows apart, and the same in the database.
    pub(super) key: (&'static [&'static str], &'static str),
    pub(super) columns: &'static [Column],
    pub(super) filters: &'static [Filter],
    /// What is looked into, a text to look for, and what it finds.
    pub(super) search: &'static [(&'static str, &'static str, &'static str)],
}

pub(super) const ID: (&[&str], &str) = (&["ID"], "record.id::text");
pub(super) const ID_COLUMN: Column = Column("ID", "id", "record.id::text", "record.id");
pub(super) const CREATED: Column = Column("Created", "created", "file_time(record.created_at)", "record.created_at");
pub(super) const CREATED_ON: Filter = Filter::Days("created", "shop_clock(record.created_at)::date");
