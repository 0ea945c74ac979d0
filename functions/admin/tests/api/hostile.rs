//! Hostile input: every form and every list, with what no browser of the shop would send.

mod forms;

use std::collections::BTreeMap;

use admin::{ROUTES, Route};
use sqlx::PgPool;
use testing::Answer;

use crate::{Browser, MECHANIC, OWNER, PASSWORD, World, access::path, browser::input};

const SCRIPT: &str = "<script>alert(1)</script>";
const IDS: [&str; 5] = ["9223372036854775807", "99999999999999999999", "-1", "0", "abc"];

/// What is entered into fields.
fn values() -> Vec<String> {
    let texts = [
        "",
        " ",
        SCRIPT,
        "\0",
        "a\0b",
        "\u{1}\u{7f}\u{202e}\r\n\t",
        "'; drop table bookings; --",
        "9e99",
        "٣",
        "0000-00-00",
        "2026-13-45",
    ];
    let long = ["x".repeat(10_000), "1".repeat(400), "+91".to_owned() + &"9".repeat(60)];
    texts.into_iter().chain(IDS).map(ToOwned::to_owned).chain(long).collect()
}

/// Those of the values that are entered into one field alone.
fn alone(value: &str) -> bool {
    [SCRIPT, "a\0b", IDS[0], "", "2026-13-45"].contains(&value) || value.len() == 10_000
}

/// What went wrong, where it did.
#[derive(Default)]
struct Failures(BTreeMap<String, String>);

impl Failures {
    /// Each answer is no failure of ours, and has nothing that a browser would run.
    fn look_at(&mut self, answer: &Answer, path: &str, sent: &dyn Fn() -> String) {
        let is_broken = answer.headers.values().any(|value| value.contains(['\r', '\n']));
        if answer.status >= 500 || answer.text.contains("<script>alert") || is_broken {
            self.0.entry(path.to_owned()).or_insert_with(|| format!("{}: {}", answer.status, sent()));
        }
    }

    fn report(self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

/// Signs in again where an act has ended the session.
async fn renewed(owner: Browser, world: &World) -> Browser {
    if owner.get("/admin/language/").await.header("location").starts_with("/admin/sign-in/") {
        sqlx::query("update users set blocked_at = null").execute(&world.pool).await.unwrap();
        let owner = Browser::new(&world.client.at("198.51.100.7"));
        let answer = owner.sign_in(OWNER, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        return owner;
    }
    owner
}

fn posts() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.method == "post" && !route.path.contains("sign-out"))
}

fn gets() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.method == "get" && !route.path.contains("assets"))
}

/// The number of a row that a path is about: a booking, a payment, a customer, a colleague, or one of the catalogue.
fn id(route: &Route) -> &'static str {
    if route.path.contains("users") || route.path.contains("vehicle-types") { "2" } else { "7" }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn no_form_fails_or_runs_a_script_with_any_value_in_its_fields(pool: PgPool) {
    let world = World::new(pool).await;
    let mut owner = world.owner().await;
    world.appoint(MECHANIC, "staff").await;
    world.seven().await;
    let mut failures = Failures::default();
    let mut forms = BTreeMap::new();
    let paths = gets().map(|route| path(route, &[("{id}", id(route))]));
    // Unpaid bookings have more forms.
    world.book(testing::next(chrono::Weekday::Wed), "10:00").await;
    for path in paths.chain(["/admin/bookings/8/".to_owned()]) {
        let page = owner.get(&path).await;
        forms.extend(forms::of(&path, &page.text).into_iter().map(|form| (form.kind(), form)));
    }
    assert!(forms.len() > 30, "{} forms", forms.len());
    for (action, fields) in forms::MORE {
        let form = forms::Form::new(action, fields);
        forms.insert(form.kind(), form);
    }
    for form in forms.values() {
        for value in values() {
            let all = form.with(&|name| forms::is_typed(name).then(|| value.clone()));
            failures.look_at(&form.submit(&owner, all).await, &form.kind(), &|| format!("all {value:?}"));
            for name in form.names().filter(|_| alone(&value)) {
                let one = form.with(&|other| (other == name).then(|| value.clone()));
                failures.look_at(&form.submit(&owner, one).await, &form.kind(), &|| format!("{name}={value:?}"));
            }
            owner = renewed(owner, &world).await;
        }
    }
    failures.report();
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn no_act_fails_without_fields_or_on_records_that_are_not_there(pool: PgPool) {
    let world = World::new(pool).await;
    let mut owner = world.owner().await;
    world.appoint(MECHANIC, "staff").await;
    world.seven().await;
    let mut failures = Failures::default();
    for route in posts() {
        for id in IDS.into_iter().chain([id(route)]) {
            let path = path(route, &[("{id}", id)]);
            let version = input(&owner.get("/admin/bookings/7/").await, "version");
            for fields in [
                vec![],
                vec![("version", version.as_str()), ("form_key", "00000000000000000000000000000000")],
                vec![("", ""), ("form_key", ""), ("row", "x"), ("row", "9223372036854775808:1"), ("to", "cancelled")],
            ] {
                failures.look_at(&owner.submit(&path, &fields).await, route.path, &|| format!("{path} of {fields:?}"));
            }
            owner = renewed(owner, &world).await;
        }
    }
    failures.report();
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn no_page_fails_with_any_value_in_its_address(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.seven().await;
    let mut failures = Failures::default();
    let names = "q page sort scope state status paid method place service model source brand type category active staff \
        day from to by table view date_from date_to created_from captured_to kind subject phone when appointment_date next \
        done count percent";
    let names: Vec<&str> = names.split(' ').filter(|name| !name.is_empty()).collect();
    let long = "%25_".repeat(2_000);
    let values = [
        "%00",
        "%FF%FE",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "drop+table",
        "-1",
        "999999999",
        "9223372036854775808",
        "0000-00-00",
        "2026-13-45",
        "9999-12-31",
        "-262143-01-01",
        "262142-12-31",
        "%25",
        "_",
        "%5C",
        "%27",
        "%22%3E",
        "//evil.example",
        long.as_str(),
    ];
    for route in gets() {
        let path = path(route, &[("{id}", "7"), ("?brand=3", "")]);
        let path = path.trim_end_matches("?brand=3");
        let page = owner.get(path).await;
        for value in values {
            let query: Vec<String> = names.iter().map(|name| format!("{name}={value}")).collect();
            let answer = owner.get(&format!("{path}?{}", query.join("&"))).await;
            failures.look_at(&answer, path, &|| format!("all {value}"));
            if ["9999-12-31", "9223372036854775808", "%00", "%25"].contains(&value) {
                for name in names.iter().filter(|name| page.text.contains(&format!("name=\"{name}\""))) {
                    let answer = owner.get(&format!("{path}?{name}={value}")).await;
                    failures.look_at(&answer, &format!("{path}?{name}"), &|| value.to_owned());
                }
            }
        }
        if route.path.contains("{id}") {
            for id in IDS {
                let answer = owner.get(&crate::access::path(route, &[("{id}", id)])).await;
                failures.look_at(&answer, route.path, &|| id.to_owned());
            }
        }
    }
    failures.report();
}
