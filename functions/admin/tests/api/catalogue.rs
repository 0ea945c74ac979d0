//! The five lists: adding, changing, archiving and restoring, and what can go wrong.

use futures::future::join_all;
use sqlx::PgPool;
use testing::{Fault, Network};

use crate::{
    World,
    browser::{Browser, input},
    panel,
};

const SCRIPT: &str = "<script>alert(1)</script>";

async fn text(world: &World, sql: &str) -> String {
    sqlx::query_scalar(sql).fetch_one(&world.pool).await.unwrap()
}

async fn number(world: &World, sql: &str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&world.pool).await.unwrap()
}

/// The fields of a brand's form as it is open now, with another name.
async fn brand(browser: &Browser, name: &str) -> Vec<(&'static str, String)> {
    let page = browser.get("/admin/vehicle-brands/3/").await;
    vec![
        ("version", input(&page, "version")),
        ("name", name.to_owned()),
        ("vehicle_type_id", "1".to_owned()),
        ("image", input(&page, "image")),
    ]
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_brand_is_added_changed_archived_and_restored_and_its_history_tells_it(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let form = owner.get("/admin/vehicle-brands/new/?vehicle_type_id=1").await;
    let key = input(&form, "form_key");
    let fields = [
        ("form_key", key.as_str()),
        ("name", "Zontes"),
        ("vehicle_type_id", "1"),
        ("image", "https://img.example/a.png"),
    ];
    let page = owner.submitted("/admin/vehicle-brands/new/", &fields).await;
    assert!(page.text.contains("Added. It is on offer now."), "{}", page.text);
    let id = number(&world, "select id from vehicle_brands where name = 'Zontes'").await;
    let path = format!("/admin/vehicle-brands/{id}/");

    let fields = [
        ("version", input(&page, "version")),
        ("name", "Zontes India".to_owned()),
        ("vehicle_type_id", "1".to_owned()),
    ];
    let page = owner.submitted(&path, &borrowed(&fields)).await;
    assert!(page.text.contains("<h1>Zontes India</h1>"), "{}", page.text);
    assert!(
        owner.submitted(&format!("{path}archive/"), &[]).await.text.contains("Archived. It is no longer on offer.")
    );
    assert!(!owner.get("/admin/vehicle-brands/?q=zontes").await.text.contains("Zontes India</a>"));
    assert!(owner.get("/admin/vehicle-brands/?q=zontes&state=archived").await.text.contains("Zontes India</a>"));
    assert!(owner.submitted(&format!("{path}restore/"), &[]).await.text.contains("Restored. It is on offer again."));

    let history = owner.get(&format!("{path}history/")).await;
    for part in ["Zontes → Zontes India", "https://img.example/a.png → —", "<p>Added</p>", crate::OWNER, "Panel"]
    {
        assert!(history.text.contains(part), "{part}: {}", history.text);
    }
    assert_eq!(number(&world, &format!("select count(*) from audit_events where table_name = 'vehicle_brands' and record_id = '{id}' and actor like 'user:%' and source = 'panel' and request_id is not null")).await, 4);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_form_that_is_sent_many_times_at_once_adds_one_row(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let key = input(&owner.get("/admin/vehicle-types/new/").await, "form_key");
    let fields = [("form_key", key.as_str()), ("name", "Moped"), ("slug", "moped"), ("image", "")];
    let answers = join_all((0..6).map(|_| owner.submit("/admin/vehicle-types/new/", &fields))).await;
    let places: Vec<_> = answers.iter().map(|answer| (answer.status, answer.header("location").to_owned())).collect();
    assert_eq!(places, vec![(303, places[0].1.clone()); 6]);
    assert_eq!(number(&world, "select count(*) from vehicle_types where name = 'Moped'").await, 1);
    // Going back and filling in the same form anew adds another.
    let fields = [("form_key", key.as_str()), ("name", "Trike"), ("slug", "trike"), ("image", "")];
    assert_ne!(owner.submit("/admin/vehicle-types/new/", &fields).await.header("location"), places[0].1);
    assert_eq!(number(&world, "select count(*) from vehicle_types where name = 'Trike'").await, 1);
    assert_eq!(owner.submit("/admin/vehicle-types/new/", &[("name", "Quad"), ("slug", "quad")]).await.status, 400);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_change_over_a_newer_one_is_shown_both_and_saved_only_knowingly(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, partner) = (world.owner().await, world.person("partner@example.com", "admin").await);
    let (mine, theirs) = (brand(&owner, "Mine").await, brand(&partner, "Theirs").await);
    assert_eq!(partner.submit("/admin/vehicle-brands/3/", &borrowed(&theirs)).await.status, 303);
    let answer = owner.submit("/admin/vehicle-brands/3/", &borrowed(&mine)).await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.text.contains("value=\"Mine\"") && answer.text.contains("<strong>Theirs</strong>"),
        "{}",
        answer.text
    );
    assert_eq!(text(&world, "select name from vehicle_brands where id = 3").await, "Theirs");
    // A second press of the partner's button is no conflict: it would change nothing.
    assert_eq!(partner.submit("/admin/vehicle-brands/3/", &borrowed(&theirs)).await.status, 303);
    let mut again = mine.clone();
    again[0].1 = input(&answer, "version");
    assert_eq!(owner.submit("/admin/vehicle-brands/3/", &borrowed(&again)).await.status, 303);
    assert_eq!(text(&world, "select name from vehicle_brands where id = 3").await, "Mine");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn after_a_fault_is_corrected_a_newer_change_is_still_noticed(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, partner) = (world.owner().await, world.person("partner@example.com", "admin").await);
    let (mut mine, theirs) = (brand(&owner, "").await, brand(&partner, "Theirs").await);
    assert_eq!(partner.submit("/admin/vehicle-brands/3/", &borrowed(&theirs)).await.status, 303);
    let faulty = owner.submit("/admin/vehicle-brands/3/", &borrowed(&mine)).await;
    assert_eq!(faulty.status, 400);
    mine[0].1 = input(&faulty, "version");
    mine[1].1 = "Mine".to_owned();
    assert_eq!(owner.submit("/admin/vehicle-brands/3/", &borrowed(&mine)).await.status, 409);
    assert_eq!(text(&world, "select name from vehicle_brands where id = 3").await, "Theirs");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn of_two_people_who_save_at_once_one_is_told_of_the_other(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let forms = [brand(&owner, "First").await, brand(&owner, "Second").await];
    let answers =
        join_all(forms.iter().map(async |form| owner.submit("/admin/vehicle-brands/3/", &borrowed(form)).await)).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_taken_name_leads_to_the_row_that_has_it(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let holder: i64 =
        number(&world, "select id from vehicle_brands where vehicle_type_id = 1 and id <> 3 limit 1").await;
    let name = text(&world, &format!("select name from vehicle_brands where id = {holder}")).await;
    let fields = brand(&owner, &name).await;
    let answer = owner.submit("/admin/vehicle-brands/3/", &borrowed(&fields)).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.contains(&format!(r#"<a href="/admin/vehicle-brands/{holder}/">open it</a>"#)),
        "{}",
        answer.text
    );
    let key = input(&owner.get("/admin/vehicle-brands/new/").await, "form_key");
    let fields = [("form_key", key.as_str()), ("name", name.as_str()), ("vehicle_type_id", "1")];
    let answer = owner.submit("/admin/vehicle-brands/new/", &fields).await;
    assert!(
        answer.text.contains(&format!(r#"<a href="/admin/vehicle-brands/{holder}/">open it</a>"#)),
        "{}",
        answer.text
    );
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn bad_input_is_named_beside_its_field_and_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let before = number(&world, "select count(*) from audit_events").await;
    let long = "x".repeat(101);
    for (path, field, value, sentence) in [
        ("/admin/vehicle-brands/3/", "name", "", "This field may not be blank."),
        ("/admin/vehicle-brands/3/", "name", long.as_str(), "Ensure this field has no more than 100 characters."),
        ("/admin/vehicle-brands/3/", "name", "a\0b", "Null characters are not allowed."),
        ("/admin/vehicle-brands/3/", "vehicle_type_id", "x", "A valid integer is required."),
        ("/admin/vehicle-brands/3/", "vehicle_type_id", "99999", "Choose one of the list."),
        ("/admin/vehicle-brands/3/", "image", "javascript:alert(1)", "Enter a web address that begins with https://."),
        ("/admin/vehicle-brands/3/", "image", "http://img.example/", "Enter a web address that begins with https://."),
        ("/admin/services/4/", "minutes", "0", "Ensure this value is greater than or equal to 1."),
        ("/admin/services/4/", "minutes", "", "A valid integer is required."),
        ("/admin/vehicle-models/7/", "engine_cc", "-3", "Enter a number from 1 to 10000, or nothing."),
        ("/admin/vehicle-models/7/", "fuel", "wood", "Choose petrol or electric."),
    ] {
        let page = owner.get(path).await;
        let mut fields = std::collections::BTreeMap::from(
            [
                ("name", "Kept"),
                ("vehicle_type_id", "1"),
                ("vehicle_brand_id", "3"),
                ("service_category_id", "1"),
                ("minutes", "30"),
                ("fuel", "petrol"),
                ("slug", "x"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
        fields.insert("version", input(&page, "version"));
        fields.insert(field, value.to_owned());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = owner.submit(path, &fields).await;
        assert_eq!(answer.status, 400, "{path} {field}={value}");
        assert!(answer.text.contains(sentence), "{path} {field}={value}: {}", answer.text);
        assert!(field == "name" || answer.text.contains("value=\"Kept\""), "the other input is kept");
    }
    assert_eq!(number(&world, "select count(*) from audit_events").await, before, "nothing was changed");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_script_in_a_name_is_a_text_on_every_page(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    for table in ["vehicle_types", "vehicle_brands", "vehicle_models", "service_categories", "services"] {
        sqlx::query(&format!("update {table} set name = $1 where id = (select min(id) from {table})"))
            .bind(SCRIPT)
            .execute(&world.pool)
            .await
            .unwrap();
    }
    for path in [
        "/admin/",
        "/admin/vehicle-types/",
        "/admin/vehicle-brands/",
        "/admin/vehicle-models/",
        "/admin/service-categories/",
        "/admin/services/",
        "/admin/services/1/",
        "/admin/services/1/archive/",
        "/admin/services/1/history/",
        "/admin/activity/",
        "/admin/services/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/search/?q=%3Cscript%3E",
        "/admin/services/?sort=%22%3E%3Cscript%3E",
        "/admin/sign-in/?next=%22%3E%3Cscript%3Ealert(1)",
    ] {
        let answer = owner.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(!answer.text.contains("<script>"), "{path}");
    }
    let file = owner.get("/admin/services.csv").await;
    assert_eq!(file.header("content-type"), "application/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment; "));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_file_of_a_list_has_exactly_the_rows_and_cells_of_the_screen(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    sqlx::query("update vehicle_models set name = '=cmd()' where id = 7").execute(&world.pool).await.unwrap();
    let file = owner.get("/admin/vehicle-models.csv?brand=3&sort=-id").await;
    let brand = number(&world, "select count(*) from vehicle_models where vehicle_brand_id = 3").await;
    assert!(file.text.starts_with("\u{feff}ID,Picture,Name,Brand,"), "{}", file.text);
    assert_eq!(i64::try_from(file.text.lines().count()).unwrap(), brand + 1);
    let all = owner.get("/admin/vehicle-models.csv").await;
    assert_eq!(all.text.lines().count(), 221);
    assert!(all.text.contains(",'=cmd(),"), "a formula is harmless");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn before_archiving_the_page_says_what_depends_on_the_row(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let models = number(&world, "select count(*) from vehicle_models where vehicle_brand_id = 3").await;
    let page = owner.get("/admin/vehicle-brands/3/archive/").await;
    assert!(
        page.text.contains(&format!(r#"<a href="/admin/vehicle-models/?brand=3">{models} models on offer</a>"#)),
        "{}",
        page.text
    );
    assert_eq!(
        text(&world, "select coalesce(archived_at::text, 'on offer') from vehicle_brands where id = 3").await,
        "on offer"
    );
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn with_redis_stopped_nothing_is_changed_and_the_page_says_so(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let fields = brand(&owner, "Changed").await;
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    network.set(Fault::Stopped);
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let cut_off = owner.through(&panel(&world.pool, &world.descope.url(), &world.redis, &redis));
    let answer = cut_off.submit("/admin/vehicle-brands/3/", &borrowed(&fields)).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(
        answer.text.contains("Nothing was changed") && answer.text.contains("value=\"Changed\""),
        "{}",
        answer.text
    );
    let answer = cut_off.submit("/admin/vehicle-brands/3/archive/", &[]).await;
    assert!(answer.status == 503 && answer.text.contains("Nothing was changed"), "{}", answer.text);
    assert_eq!(
        number(&world, "select count(*) from vehicle_brands where name = 'Changed' or archived_at is not null").await,
        0
    );
}
