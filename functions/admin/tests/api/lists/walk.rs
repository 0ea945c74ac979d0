//! Walks through a list as its table says, and compares it with the database.

use testing::Answer;

use super::table::{Column, Filter, Listed};
use crate::{Browser, World, visits::words};

/// Rows of a page.
const PAGE: usize = 50;

pub(super) struct Walk<'a> {
    pub(super) world: &'a World,
    pub(super) owner: &'a Browser,
    pub(super) list: &'a Listed,
}

/// A CSV file: its titles and its rows.
struct File {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl File {
    fn column(&self, title: &str) -> Vec<String> {
        let place = self.titles.iter().position(|other| other == title).expect(title);
        self.rows.iter().map(|row| row[place].clone()).collect()
    }

    fn keys(&self, titles: &[&str]) -> Vec<String> {
        let columns: Vec<Vec<String>> = titles.iter().map(|title| self.column(title)).collect();
        let key = |row: usize| columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>().join("|");
        (0..self.rows.len()).map(key).collect()
    }
}

impl Walk<'_> {
    pub(super) async fn all(&self) {
        self.columns().await;
        for column in self.list.columns.iter().filter(|column| !column.1.is_empty()) {
            self.sorted(column).await;
        }
        for filter in self.list.filters {
            self.filter(filter).await;
        }
        self.search().await;
        self.pages().await;
        self.links().await;
    }

    /// What the database has: a value of each row that matches.
    async fn stored(&self, value: &str, condition: &str, order: &str) -> Vec<String> {
        let Listed { from, shown, .. } = self.list;
        let sql = format!("select coalesce({value}, '') from {from} where {shown} and ({condition}) order by {order}");
        sqlx::query_scalar(&sql).fetch_all(&self.world.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn page(&self, query: &str) -> Answer {
        let page = self.owner.get(&format!("{}?{query}", self.list.path)).await;
        assert_eq!(page.status, 200, "{}?{query}: {}", self.list.path, page.text);
        page
    }

    async fn file(&self, query: &str) -> File {
        let path = format!("{}.csv?{query}", self.list.path.trim_end_matches('/'));
        let file = self.owner.get(&path).await;
        assert_eq!(file.status, 200, "{path}: {}", file.text);
        let text = file.text.strip_prefix('\u{feff}').expect("a byte order mark");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let titles = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
        File { titles, rows }
    }

    /// The page and the file have the same columns in the same order, and each that is asked for.
    async fn columns(&self) {
        let (page, file) = (self.page("").await, self.file("").await);
        let head = page.text.split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap();
        let titles: Vec<String> = head.split("</th>").map(words).filter(|title| !title.is_empty()).collect();
        let shown: Vec<&String> = titles.iter().filter(|title| !["Tick", "Action"].contains(&title.as_str())).collect();
        assert_eq!(shown, file.titles.iter().collect::<Vec<_>>(), "{}", self.list.path);
        let mut places = self.list.columns.iter().map(|column| {
            titles
                .iter()
                .position(|title| title == column.0)
                .unwrap_or_else(|| panic!("{}: {}", self.list.path, column.0))
        });
        assert!(places.by_ref().is_sorted(), "{}: {titles:?}", self.list.path);
    }

    /// Rows in the order of a column's values, up and down; empty values come last.
    async fn sorted(&self, Column(title, key, cell, by): &Column) {
        let mut orders = Vec::new();
        for (sort, order, direction) in [
            ((*key).to_owned(), format!("{by} nulls last"), "ascending"),
            (format!("-{key}"), format!("{by} desc nulls last"), "descending"),
        ] {
            let (path, query) = (self.list.path, format!("sort={sort}"));
            let (page, file) = (self.page(&query).await, self.file(&query).await);
            let values = file.column(title);
            assert_eq!(values, self.stored(cell, "true", &order).await, "{path}: {sort}");
            assert_eq!(self.shown(&page), file.keys(self.list.key.0)[..PAGE], "{path}: {sort}");
            assert!(page.text.contains(&format!("aria-sort=\"{direction}\"")), "{path}: {sort}");
            orders.push(values);
        }
        assert_ne!(orders[0], orders[1], "{}: {key} has values that differ", self.list.path);
    }

    async fn filter(&self, filter: &Filter) {
        match filter {
            Filter::All(name, values) => {
                let page = self.page("").await;
                let select =
                    page.text.split(&format!("name=\"{name}\"")).nth(1).expect(name).split("</select>").next().unwrap();
                let options: Vec<&str> = select
                    .split("value=\"")
                    .skip(1)
                    .map(|rest| rest.split('"').next().unwrap())
                    .filter(|value| !value.is_empty())
                    .collect();
                assert_eq!(options, values.iter().map(|(value, _)| *value).collect::<Vec<_>>(), "{}", self.list.path);
                self.values(name, values).await;
            }
            Filter::Some(name, values) => self.values(name, values).await,
            Filter::Days(name, day) => {
                let days = self.stored(&format!("({day})::text"), "true", day).await;
                let (from, to) = (&days[days.len() / 2], &days[days.len() / 3]);
                for (query, condition) in [
                    (format!("{name}_from={from}"), format!("{day} >= '{from}'")),
                    (format!("{name}_to={to}"), format!("{day} <= '{to}'")),
                    (format!("{name}_from={from}&{name}_to={from}"), format!("{day} = '{from}'")),
                ] {
                    self.narrowed(&query, &condition).await;
                }
            }
        }
    }

    async fn values(&self, name: &str, values: &[(&str, &str)]) {
        for (value, condition) in values {
            self.narrowed(&format!("{name}={value}"), condition).await;
        }
    }

    async fn search(&self) {
        for (_, text, condition) in self.list.search {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
            self.narrowed(&query, condition).await;
        }
        let none = self.page("q=no+such+text").await;
        assert!(none.text.contains("Nothing matches."), "{}", self.list.path);
    }

    /// A query finds some of the rows, those of a condition; it stays in every address of the page until its chip or
    /// "Clear all" is chosen.
    async fn narrowed(&self, query: &str, condition: &str) {
        let path = self.list.path;
        let told = format!("{path}?{query}");
        let all = self.stored(self.list.key.1, "true", "1").await.len();
        let expected = self.stored(self.list.key.1, condition, "1").await;
        assert!(!expected.is_empty() && expected.len() < all, "{told}: {} of {all}", expected.len());
        let (page, file) = (self.page(query).await, self.file(query).await);
        let mut found = file.keys(self.list.key.0);
        found.sort();
        let mut sorted = expected.clone();
        sorted.sort();
        assert_eq!(found, sorted, "{told}");
        assert_eq!(self.shown(&page).len(), expected.len().min(PAGE), "{told}");
        assert!(page.text.contains(&counted(1, expected.len())), "{told}");
        let pairs: Vec<&str> = query.split('&').collect();
        let links = links(&page, path);
        for pair in &pairs {
            let others: Vec<&str> = pairs.iter().filter(|other| *other != pair).copied().collect();
            let without = if others.is_empty() { path.to_owned() } else { format!("{path}?{}", others.join("&")) };
            assert!(chips(&page).contains(&without), "{told}: a chip that leads to {without}");
            let (name, value) = pair.split_once('=').unwrap();
            assert!(page.text.contains(&format!("name=\"{name}\"")), "{told}: an input");
            let value = value.replace('+', " ").replace("%40", "@").replace("%23", "#");
            assert!(page.text.contains(&format!("value=\"{value}\"")), "{told}: its value");
        }
        assert_eq!(chips(&page).len(), pairs.len() + 1, "{told}: one chip for each value and Clear all");
        assert_eq!(chips(&page).last().unwrap(), path, "{told}: Clear all");
        for link in
            links.iter().filter(|link| link.contains("sort=") || link.contains("page=") || link.contains(".csv"))
        {
            assert!(pairs.iter().all(|pair| link.contains(pair)), "{told}: {link}");
        }
        assert!(
            links.iter().any(|link| link.contains("sort=")) && links.iter().any(|link| link.contains(".csv")),
            "{told}"
        );
        assert_eq!(links.iter().any(|link| link.contains("page=2")), expected.len() > PAGE, "{told}");
    }

    /// Fifty rows a page, none twice and none left out.
    async fn pages(&self) {
        let (path, key) = (self.list.path, self.list.columns[0].1);
        let query = format!("created_from=2000-01-01&sort={key}");
        let rows = self.file(&query).await.keys(self.list.key.0);
        assert!(rows.len() > PAGE, "{path}: {} rows", rows.len());
        let mut seen = Vec::new();
        for number in 1..=rows.len().div_ceil(PAGE) {
            let page = self.page(&format!("{query}&page={number}")).await;
            assert!(page.text.contains(&counted(seen.len() + 1, rows.len())), "{path}: {number}");
            let next = format!("?created_from=2000-01-01&page={}&sort={key}", number + 1);
            seen.extend(self.shown(&page));
            assert_eq!(
                links(&page, path).iter().any(|link| link.ends_with(&next)),
                seen.len() < rows.len(),
                "{path}: {number}"
            );
        }
        assert_eq!(seen, rows, "{path}");
    }

    /// In the list's own order the links lead to each row once, and back.
    async fn links(&self) {
        let rows = self.file("created_from=2000-01-01").await.keys(self.list.key.0);
        let first = format!("{}?created_from=2000-01-01", self.list.path);
        for (start, rel) in [(first.clone(), "next"), (format!("{first}&page={}", rows.len().div_ceil(PAGE)), "prev")] {
            let (mut pages, mut link) = (Vec::new(), Some(start));
            while let Some(path) = link {
                let page = self.owner.get(&path).await;
                pages.push(self.shown(&page));
                let rest = page.text.split(&format!("rel=\"{rel}\" href=\"")).nth(1);
                link = rest.map(|rest| unescaped(rest.split('"').next().unwrap()));
            }
            if rel == "prev" {
                pages.reverse();
            }
            assert_eq!(pages.concat(), rows, "{}: {rel}", self.list.path);
        }
    }

    /// What tells the rows of a page apart.
    fn shown(&self, page: &Answer) -> Vec<String> {
        let body = page.text.split("<tbody>").nth(1).unwrap_or_default();
        let cell = |row: &str, title: &str| {
            let cell =
                row.split(&format!("data-label=\"{title}\">")).nth(1).expect(title).split("</td>").next().unwrap();
            unescaped(&words(cell))
        };
        let key = |row| self.list.key.0.iter().map(|title| cell(row, title)).collect::<Vec<_>>().join("|");
        body.split("</tr>").filter(|row| row.contains("<td")).map(key).collect()
    }
}

/// Where the chips lead.
fn chips(page: &Answer) -> Vec<String> {
    let chips = page.text.split("<ul class=\"chips\"").nth(1).unwrap_or_default().split("</ul>").next().unwrap();
    hrefs(chips).collect()
}

/// The links of a page to the same list, without those of chips.
fn links(page: &Answer, path: &str) -> Vec<String> {
    let after = page.text.split("<ul class=\"chips\"").nth(1).and_then(|rest| rest.split_once("</ul>"));
    let shown = after.map_or(page.text.as_str(), |(_, after)| after);
    hrefs(shown).filter(|link| link.starts_with(path.trim_end_matches('/'))).collect()
}

fn hrefs(html: &str) -> impl Iterator<Item = String> {
    html.split("href=\"").skip(1).map(|rest| unescaped(rest.split('"').next().unwrap()))
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// The count above a page that begins with a row.
fn counted(first: usize, all: usize) -> String {
    if all <= PAGE { format!("{all} in all") } else { format!("{first}–{} of {all}", (first + PAGE - 1).min(all)) }
}
