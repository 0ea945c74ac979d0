//! A table of a report: on the page with links to what its numbers count, and as a CSV file.

use axum::response::Response;
use maud::{Markup, html};
use shared::{Result, money::Money};

use crate::kit::{cell::Cell, file, list::Column, page::Place, rows::Rows};

/// A cell, and the list of what it counts.
#[derive(Clone, Debug)]
pub(super) struct Item {
    cell: Cell,
    to: String,
    /// What the CSV file has instead.
    in_file: Option<Cell>,
}

impl Item {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { cell: Cell::Text(text.into()), to: String::new(), in_file: None }
    }

    pub(super) fn number(number: i64) -> Self {
        Self { cell: Cell::Number(number), to: String::new(), in_file: None }
    }

    pub(super) fn paise(paise: i64) -> Self {
        Self { cell: Cell::Money(Money::from_paise(paise)), to: String::new(), in_file: None }
    }

    /// By how much a number differs from the one of the period before, in percent; nothing if there was nothing before.
    pub(super) fn change(now: i64, before: i64) -> Self {
        match change(now, before) {
            Some(percent) => {
                let words = if percent == 0 { "0".to_owned() } else { format!("{percent:+}") };
                // Not the words: a spreadsheet takes a text that begins with a sign for a formula.
                Self { in_file: Some(Cell::Number(percent)), ..Self::text(words) }
            }
            None => Self { in_file: Some(Cell::Empty), ..Self::text("–") },
        }
    }

    pub(super) fn to(self, address: impl Into<String>) -> Self {
        Self { to: address.into(), ..self }
    }

    pub(super) fn in_file(self, text: impl Into<String>) -> Self {
        Self { in_file: Some(Cell::Text(text.into())), ..self }
    }

    fn markup(&self) -> Markup {
        html! { @if self.to.is_empty() { (self.cell.markup()) } @else { a href=(self.to) { (self.cell.markup()) } } }
    }
}

type Row = Vec<Item>;

/// A column's title, and whether its cells are aligned to the right.
#[derive(Clone, Copy)]
pub(super) struct Title(pub(super) &'static str, pub(super) bool);

pub(super) struct Table {
    /// Name of the CSV file, and its path without an end.
    pub(super) place: Place,
    pub(super) key: &'static str,
    pub(super) columns: Vec<Title>,
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn show(&self, file: &str) -> Markup {
        html! {
            div.bar {
                p {}
                a href=(file) download aria-label=(format!("Download CSV: {}", self.place.title)) { "Download CSV" }
            }
            div.table.report role="region" aria-label=(self.place.title) tabindex="0" {
                table {
                    thead { tr {
                        @for Title(title, is_number) in &self.columns { th class=[is_number.then_some("num")] scope="col" { (title) } }
                    } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (Title(title, is_number), item) in self.columns.iter().zip(row) {
                                    td class=[is_number.then_some("num")] data-label=(title) { (item.markup()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn file(self) -> Result<Response> {
        const CELLS: [fn(&Row) -> Cell; 9] = [
            |row| nth(row, 0),
            |row| nth(row, 1),
            |row| nth(row, 2),
            |row| nth(row, 3),
            |row| nth(row, 4),
            |row| nth(row, 5),
            |row| nth(row, 6),
            |row| nth(row, 7),
            |row| nth(row, 8),
        ];
        let columns: Vec<Column<Row>> =
            self.columns.iter().zip(CELLS).map(|(Title(title, _), cell)| Column::plain("", title, cell)).collect();
        let count = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        file::file(self.place, &columns, &Rows::all(self.rows, count))
    }
}

fn nth(row: &Row, place: usize) -> Cell {
    row.get(place).map_or(Cell::Empty, |item| item.in_file.as_ref().unwrap_or(&item.cell).clone())
}

fn change(now: i64, before: i64) -> Option<i64> {
    if now == before {
        return Some(0);
    }
    (before > 0).then(|| percent(now - before, before))
}

/// A part of a whole in percent, rounded; 0 of nothing.
pub(super) fn percent(part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let half = if part < 0 { -whole } else { whole };
    i64::try_from((part * 200 + half) / (whole * 2)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_whole_percent() {
        for (now, before, percent) in [
            (12, 9, Some(33)),
            (9, 12, Some(-25)),
            (5, 5, Some(0)),
            (0, 0, Some(0)),
            (3, 0, None),
            (3, -5, None),
            (0, 3, Some(-100)),
            (1_000_001, 1_000_000, Some(0)),
            (-50, 100, Some(-150)),
        ] {
            assert_eq!(change(now, before), percent, "{now} {before}");
        }
    }

    #[test]
    fn percents_are_rounded_and_nothing_is_none_of_nothing() {
        assert_eq!([percent(1, 3), percent(2, 3), percent(1, 2), percent(5, 0), percent(3, 2)], [33, 67, 50, 0, 150]);
    }
}
