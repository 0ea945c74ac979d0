//! docs/frontend.md says for each error code what to show.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::json;
use shared::error::Code;

use crate::read;

#[test]
fn the_page_for_frontends_has_each_code_once_with_its_status() {
    let page = read("docs/frontend.md");
    let row = Regex::new(r"(?m)^\| `([A-Z_]+)` \| (\d{3}) \| \S").unwrap();
    let told: Vec<(String, u16)> =
        row.captures_iter(&page).map(|found| (found[1].to_owned(), found[2].parse().unwrap())).collect();
    let known = Code::ALL.map(|code| (json!(code).as_str().unwrap().to_owned(), code.status().as_u16()));
    assert_eq!(told.iter().collect::<BTreeSet<_>>(), known.iter().collect());
    assert_eq!(told.len(), known.len(), "a code is told twice");
}
