//! Lists: a page of rows with filters, chips of those in use, sorting and paging.

use maud::{Markup, html};

use super::{
    ask::{Ask, PAGE},
    cell::Cell,
    page::Place,
    rows::{Count, Rows},
};
use crate::words::Words;

/// A column: its title, whether it can be sorted by, and the cell of a row.
pub(crate) struct Column<R> {
    key: &'static str,
    pub(super) title: &'static str,
    sorts: bool,
    pub(super) cell: fn(&R) -> Cell,
}

impl<R> Column<R> {
    /// A column that the list's query can sort by.
    pub(crate) const fn sorted(key: &'static str, title: &'static str, cell: fn(&R) -> Cell) -> Self {
        Self { key, title, sorts: true, cell }
    }

    pub(crate) const fn plain(key: &'static str, title: &'static str, cell: fn(&R) -> Cell) -> Self {
        Self { key, title, sorts: false, cell }
    }
}

/// A filter above a list.
pub(crate) enum Filter {
    /// One of these pairs of value and text; without a choice, `all` is the text.
    Choice { name: &'static str, label: &'static str, all: &'static str, choices: Vec<(String, String)> },
    /// A range of days: `{name}_from` and `{name}_to`, both included.
    Days { name: &'static str, label: &'static str },
    /// A text of one's own.
    Text { name: &'static str, label: &'static str },
    /// A value of the address that is chosen elsewhere on the page, such as by a scope, and stays while filters change.
    Kept { name: &'static str },
}

/// What can be done to several rows at once: ticks in front of them, and buttons below.
pub(crate) struct Bulk<R> {
    /// Where the ticked rows are sent.
    pub(crate) action: &'static str,
    /// What a ticked row is sent as.
    pub(crate) key: fn(&R) -> String,
    /// What a row is called.
    pub(crate) name: fn(&R) -> String,
    /// Value and text of each act.
    pub(crate) acts: Vec<(&'static str, &'static str)>,
}

/// The options of a filter, with the one in use selected.
pub(crate) fn choices_of<'a>(ask: &Ask, name: &str, choices: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    html! { @for (value, text) in choices { option value=(value) selected[ask.value(name) == Some(value)] { (text) } } }
}

/// A list: columns and filters of rows.
pub(crate) struct List<'a, R> {
    pub(crate) place: Place,
    pub(crate) ask: &'a Ask,
    pub(crate) columns: &'a [Column<R>],
    pub(crate) filters: &'a [Filter],
    pub(crate) rows: &'a Rows<R>,
    /// What the search looks into, such as "name or type"; `None` without a search.
    pub(crate) search: Option<&'a str>,
    /// The sentence of an empty list: how to fill it.
    pub(crate) empty: &'a str,
    pub(crate) bulk: Option<Bulk<R>>,
    /// The language of the list's own words.
    pub(crate) words: Words,
}

impl<R> List<'_, R> {
    pub(crate) fn show(&self) -> Markup {
        html! {
            (self.filters())
            (self.chips())
            @if self.rows.rows.is_empty() {
                p.empty { @if self.is_filtered() { (self.words.nothing_matches()) } @else { (self.empty) } }
            } @else {
                div.bar {
                    p.count { (self.counted()) }
                    @if let Some(file) = self.ask.file() { a href=(file) download { (self.words.download_csv()) } }
                }
                @let table = html! {
                    div.table.wide[self.columns.len() > 8] role="region" aria-label=(self.place.title) tabindex="0" { (self.table()) }
                };
                @if let Some(bulk) = &self.bulk { (self.in_form(bulk, &table)) } @else { (table) }
                (self.pages())
            }
        }
    }

    /// The table with the form that sends what is ticked, or all that match. The filter and its count go along, so that
    /// what was seen is what is changed.
    fn in_form(&self, bulk: &Bulk<R>, table: &Markup) -> Markup {
        html! {
            form.bulk method="post" action=(bulk.action) {
                input type="hidden" name="query" value=(self.ask.query());
                input type="hidden" name="count" value=(self.rows.count);
                (table)
                div.savebar {
                    fieldset.which {
                        legend.visually-hidden { (self.words.which_rows()) }
                        label { input type="radio" name="which" value="ticked" checked; " " (self.words.ticked()) }
                        label { input type="radio" name="which" value="all"; " " (self.words.all_that_match(Count(self.rows.count))) }
                    }
                    @for (value, text) in &bulk.acts { button.plain type="submit" name="to" value=(value) { (text) } }
                    span data-ticked role="status" {}
                }
            }
        }
    }

    fn is_filtered(&self) -> bool {
        let is_kept = |filter: &Filter| matches!(filter, Filter::Kept { name } if self.ask.value(name).is_some());
        self.filters.iter().any(is_kept)
            || self.ask.value("q").is_some()
            || self.active().next().is_some()
            || self.ask.page() > 1
    }

    fn counted(&self) -> String {
        let (first, shown) = (self.ask.offset() + 1, i64::try_from(self.rows.rows.len()).unwrap_or_default());
        if self.rows.count <= PAGE {
            format!("{} {}", self.rows.count, self.words.in_all())
        } else {
            self.words.range(first, first + shown - 1, Count(self.rows.count))
        }
    }

    fn filters(&self) -> Markup {
        html! {
            form.filters method="get" action=(self.ask.path) data-auto {
                @if let Some(placeholder) = self.search {
                    div.field {
                        label for="filter-q" { (self.words.search()) }
                        input #filter-q type="search" name="q" value=[self.ask.value("q")] placeholder=(placeholder);
                    }
                }
                @for filter in self.filters { (self.filter(filter)) }
                @if let Some(sort) = self.ask.sort() { input type="hidden" name="sort" value=(sort); }
                button.plain type="submit" { (self.words.apply()) }
            }
        }
    }

    fn filter(&self, filter: &Filter) -> Markup {
        match filter {
            Filter::Choice { name, label, all, choices } => html! {
                div.field {
                    label for=(format!("filter-{name}")) { (label) }
                    select id=(format!("filter-{name}")) name=(name) {
                        option value="" { (all) }
                        @for (value, text) in choices {
                            option value=(value) selected[self.ask.value(name) == Some(value)] { (text) }
                        }
                    }
                }
            },
            Filter::Text { name, label } => html! {
                div.field {
                    label for=(format!("filter-{name}")) { (label) }
                    input id=(format!("filter-{name}")) type="text" name=(name) value=[self.ask.value(name)] autocomplete="off";
                }
            },
            Filter::Days { name, label } => html! {
                @for (end, word) in [("from", self.words.first_day()), ("to", self.words.last_day())] {
                    div.field {
                        label for=(format!("filter-{name}-{end}")) { (label) " " (word) }
                        input id=(format!("filter-{name}-{end}")) type="date" name=(format!("{name}_{end}"))
                            value=[self.ask.value(&format!("{name}_{end}"))];
                    }
                }
            },
            Filter::Kept { name } => html! {
                @if let Some(value) = self.ask.value(name) { input type="hidden" name=(name) value=(value); }
            },
        }
    }

    /// The filters in use: name of the value, and what it says.
    fn active(&self) -> impl Iterator<Item = (String, String)> {
        self.filters.iter().flat_map(|filter| match filter {
            Filter::Choice { name, label, choices, .. } => {
                let chosen = self.ask.value(name).map(|value| {
                    let text = choices.iter().find(|(known, _)| known == value).map_or(value, |(_, text)| text);
                    ((*name).to_owned(), format!("{label}: {text}"))
                });
                chosen.into_iter().collect::<Vec<_>>()
            }
            Filter::Text { name, label } => {
                self.ask.value(name).map(|text| ((*name).to_owned(), format!("{label}: {text}"))).into_iter().collect()
            }
            Filter::Days { name, label } => {
                let end = |end: &str, word: &str| {
                    let name = format!("{name}_{end}");
                    self.ask.day(&name).map(|day| (name.clone(), format!("{label} {word} {day}")))
                };
                [end("from", self.words.first_day()), end("to", self.words.last_day())].into_iter().flatten().collect()
            }
            Filter::Kept { .. } => Vec::new(),
        })
    }

    fn chips(&self) -> Markup {
        let search = self.ask.value("q").map(|text| ("q".to_owned(), format!("{}: {text}", self.words.search())));
        let chips: Vec<(String, String)> = search.into_iter().chain(self.active()).collect();
        html! {
            @if !chips.is_empty() {
                ul.chips aria-label=(self.words.filters_in_use()) {
                    @for (name, text) in &chips {
                        li { a href=(self.ask.link(&[(name, "")])) { (text) span aria-hidden="true" { " ×" } span.visually-hidden { ", " (self.words.remove().to_lowercase()) } } }
                    }
                    li { a.clear href=(self.ask.path) { (self.words.clear_all()) } }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            table {
                thead { tr { @if self.bulk.is_some() { th scope="col" { span.visually-hidden { (self.words.tick()) } } } @for column in self.columns { (self.heading(column)) } } }
                tbody {
                    @for row in &self.rows.rows {
                        tr {
                            @if let Some(bulk) = &self.bulk {
                                td.tick { label { input type="checkbox" name="row" value=((bulk.key)(row)) aria-label=(format!("{} {}", self.words.tick(), (bulk.name)(row))); } }
                            }
                            @for column in self.columns {
                                @let cell = (column.cell)(row);
                                td class=[cell.is_number().then_some("num")] data-label=(column.title) { (cell.markup_in(self.words)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn heading(&self, column: &Column<R>) -> Markup {
        let down = format!("-{}", column.key);
        let (sort, next) = match self.ask.sort() {
            Some(key) if key == column.key => (Some("ascending"), down.as_str()),
            Some(key) if key == down => (Some("descending"), ""),
            _ => (None, column.key),
        };
        // Above its numbers; empty cells do not tell.
        let is_number = self.rows.rows.iter().any(|row| (column.cell)(row).is_number());
        html! {
            th class=[is_number.then_some("num")] scope="col" aria-sort=[sort] {
                @if column.sorts { a href=(self.ask.link(&[("sort", next)])) { (column.title) } } @else { (column.title) }
            }
        }
    }

    fn pages(&self) -> Markup {
        let (page, count) = (self.ask.page(), Count(self.rows.count));
        let last = (self.rows.count + PAGE - 1) / PAGE;
        html! {
            @if last > 1 {
                nav.pages aria-label=(self.words.pages()) {
                    @if let Some(previous) = &self.rows.previous { a rel="prev" href=(previous) { "‹ " (self.words.previous_page()) } }
                    span { @if count.is_capped() { (self.words.page(page)) } @else { (self.words.page_of(page, last)) } }
                    @if let Some(next) = &self.rows.next { a rel="next" href=(next) { (self.words.next_page()) " ›" } }
                }
            }
        }
    }
}
