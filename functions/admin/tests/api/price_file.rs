//! Prices as a file: down, up with a preview, and the save that follows.

use std::fmt::Write;

use sqlx::PgPool;
use testing::{Answer, Fault};

use crate::{World, browser::Browser, percent::confirmation};

const PATH: &str = "/admin/prices/file/";
const HEADER: &str = "service_id,vehicle_model_id,price\n";

async fn upload(browser: &Browser, text: &str) -> Answer {
    browser.upload(PATH, "file", text.as_bytes()).await
}

fn fields(preview: &Answer) -> Vec<(String, String)> {
    confirmation(preview, &["changes", "fingerprint", "form_key"])
}

async fn confirm(browser: &Browser, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit("/admin/prices/file/confirm/", &fields).await
}

/// New, changed, removed and unchanged, as a preview counts them.
fn counts(page: &Answer) -> [u32; 4] {
    let list = page.text.split("<ul class=\"counts\">").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let items = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    let counts: Vec<u32> = items.map(|item| item.split(' ').next().unwrap().parse().unwrap()).collect();
    counts.try_into().unwrap()
}

/// The key of a form that no page has made.
const KEY: &str = "00000000000000000000000000000000";

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_that_was_downloaded_comes_back_with_exactly_the_change_made_in_it(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.run("update services set name = '=1+1' where id = 6").await;
    let file = owner.get("/admin/prices.csv").await;
    assert_eq!(file.header("content-type"), "application/csv; charset=utf-8");
    assert_eq!(file.text.lines().count(), 7_280);
    assert!(file.text.starts_with("\u{feff}service_id,vehicle_model_id,service,brand,model,price\r\n"));
    let line = "\r\n4,7,Engine Oil Change,Honda,Activa 6G,390.00\r\n";
    assert!(file.text.contains(line) && file.text.contains(",'=1+1,Honda,"));
    let same = upload(&owner, &file.text).await;
    assert_eq!((same.status, counts(&same)), (200, [0, 0, 0, 7_279]), "{}", same.text);
    assert!(same.text.contains("there is nothing to save") && !same.text.contains("fingerprint"));
    let before = world.prices().await;
    let changed = file.text.replace(line, "\r\n4,7,Engine Oil Change,Honda,Activa 6G,\"₹1,395.50\"\r\n");
    let preview = upload(&owner, &changed).await;
    assert_eq!((preview.status, counts(&preview)), (200, [0, 1, 0, 7_278]));
    assert!(preview.text.contains("₹390.00") && preview.text.contains("₹1,395.50"));
    assert_eq!(world.prices().await, before, "a preview writes nothing");
    let fields = fields(&preview);
    let answer = confirm(&owner, &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/admin/prices/?done=saved&count=1"),
        "{}",
        answer.text
    );
    let mut after = world.prices().await;
    assert_eq!(after.remove(&(4, 7)).unwrap().0, 139_550);
    assert!(before.into_iter().filter(|(pair, _)| *pair != (4, 7)).eq(after));
    // Sent twice, it is done once.
    let once = world.prices().await;
    assert_eq!(confirm(&owner, &fields).await.header("location"), "/admin/prices/?done=saved&count=1");
    assert_eq!(world.prices().await, once);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_of_one_brand_changes_only_what_it_holds(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    assert_eq!(owner.get("/admin/prices.csv?brand=2").await.text.lines().count(), 285);
    assert_eq!(
        owner.get("/admin/prices.csv?model=7").await.text.lines().filter(|line| line.contains(",7,")).count(),
        34
    );
    let before = world.prices().await;
    // New, changed, removed, unchanged, and a removal of what was not there; as a German spreadsheet saves it.
    let text = "\u{feff}service_id;vehicle_model_id;price\r\n5;7;99.50\r\n4;7;400\r\n6;7;\r\n7;7;200.00\r\n5;8;\r\n";
    let preview = upload(&owner, text).await;
    assert_eq!((preview.status, counts(&preview)), (200, [1, 1, 1, 2]), "{}", preview.text);
    assert!(preview.text.contains("<td class=\"num\" data-label=\"Line\">4</td>"), "{}", preview.text);
    let answer = confirm(&owner, &fields(&preview)).await;
    assert_eq!(answer.header("location"), "/admin/prices/?done=saved&count=3");
    let mut after = world.prices().await;
    assert_eq!((after.remove(&(5, 7)).unwrap().0, after.remove(&(4, 7)).unwrap().0), (9_950, 40_000));
    assert!(before.into_iter().filter(|(pair, _)| ![(4, 7), (6, 7)].contains(pair)).eq(after));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn faulty_lines_are_named_and_block_the_save(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.run("update vehicle_models set archived_at = now() where id = 8").await;
    let text = "service_id,vehicle_model_id,service,brand,model,price\n\
        4,7,Engine Oil Change,Honda,Activa 6G,400\n\
        4,9,Oil,Honda,Activa 125,400\n\
        4,10,,Suzuki,Dio 110,400\n\
        4,11,,,Dio,400\n\
        999,7,,,,400\n\
        4,8,,,,400\n\
        4,7,,,,401\n\
        6,7,,,,1.999\n";
    let page = upload(&owner, text).await;
    assert_eq!(page.status, 400);
    let faults = [
        "Line 3: Service 4 is “Engine Oil Change” here and “Oil” in the file.",
        "Line 4: The brand of model 10 is “Honda” here and “Suzuki” in the file.",
        "Line 5: Model 11 is “Dio 125” here and “Dio” in the file.",
        "Line 6: There is no service 999 on offer.",
        "Line 7: There is no model 8 on offer.",
        "Line 8: Service 4 and model 7 are in line 2 already.",
        "Line 9: “1.999”: Enter at most two decimals.",
    ];
    let list = page.text.split("<ul class=\"faults\">").nth(1).unwrap().split("</ul>").next().unwrap();
    assert_eq!(list, faults.map(|fault| format!("<li>{fault}</li>")).concat());
    assert!(page.text.contains("7 faulty lines") && !page.text.contains("fingerprint"));
    assert_eq!(world.price(4, 7).await, Some(39_000));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_that_cannot_be_read_is_answered_with_a_sentence(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let refused = async |bytes: &[u8], status: u16, sentence: &str| {
        let page = owner.upload(PATH, "file", bytes).await;
        assert_eq!(page.status, status, "{}", page.text);
        assert!(page.text.contains(sentence), "{sentence}: {}", page.text);
        assert!(page.text.starts_with("<!DOCTYPE html>"));
    };
    refused(&[b"service_id,vehicle_model_id,price\n1,1,\xff\n".as_slice()].concat(), 400, "The file is not UTF-8.")
        .await;
    refused(b"4,7,390.00\n", 400, "The first line has no column “service_id”.").await;
    refused(HEADER.as_bytes(), 400, "The file has no prices").await;
    refused(b"", 400, "Choose a file first.").await;
    refused(&vec![b'1'; 5_000_000], 413, "The file is too large: at most 2 MB are read.").await;
    assert_eq!(owner.submit(PATH, &[("file", "x")]).await.status, 400);
    assert_eq!(owner.upload(PATH, "other", b"x").await.status, 400);
    let page = owner.get(PATH).await;
    assert!(page.text.contains("enctype=\"multipart/form-data\"") && page.text.contains("href=\"/admin/prices.csv\""));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_of_ten_thousand_lines_and_almost_two_megabytes_is_read(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let pairs: Vec<(i64, i64)> = sqlx::query_as(
        "select service.id, model.id from services service cross join vehicle_models model order by 1, 2 limit 10000",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let mut text = "service_id,vehicle_model_id,price,note\n".to_owned();
    for (service, model) in &pairs {
        let _ = writeln!(text, "{service},{model},12345.00,{}", "x".repeat(160));
    }
    assert!(pairs.len() == 10_000 && (1_700_000..2_000_000).contains(&text.len()), "{}", text.len());
    let preview = upload(&owner, &text).await;
    assert_eq!(preview.status, 200);
    let [new, changed, removed, unchanged] = counts(&preview);
    assert_eq!((new + changed, removed, unchanged), (10_000, 0, 0));
    assert!(preview.text.contains("and 9800 more"));
    let answer = confirm(&owner, &fields(&preview)).await;
    assert_eq!(answer.header("location"), "/admin/prices/?done=saved&count=10000", "{}", answer.text);
    let count: i64 = sqlx::query_scalar("select count(*) from service_prices where price_paise = 1234500")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(count, 10_000);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_is_refused_with_a_new_preview_if_a_price_has_changed_meanwhile(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let preview = upload(&owner, &format!("{HEADER}4,7,400\n6,7,250\n")).await;
    world.run("update service_prices set price_paise = 39500 where service_id = 4 and vehicle_model_id = 7").await;
    let before = world.prices().await;
    let refused = confirm(&owner, &fields(&preview)).await;
    assert_eq!((refused.status, counts(&refused)), (409, [0, 2, 0, 0]));
    assert!(refused.text.contains("Nothing was saved: prices have changed") && refused.text.contains("₹395.00"));
    assert_eq!(world.prices().await, before);
    let answer = confirm(&owner, &fields(&refused)).await;
    assert_eq!(answer.header("location"), "/admin/prices/?done=saved&count=2");
    assert_eq!((world.price(4, 7).await, world.price(6, 7).await), (Some(40_000), Some(25_000)));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_confirmation_that_no_preview_has_made_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let before = world.prices().await;
    let submit = async |changes: &str, fingerprint: &str, key: &str| {
        let fields = [("changes", changes), ("fingerprint", fingerprint), ("form_key", key)];
        owner.submit("/admin/prices/file/confirm/", &fields).await.status
    };
    assert_eq!(submit("4-7=1", "", KEY).await, 409);
    assert_eq!(submit("4-7=-1", "", KEY).await, 400);
    assert_eq!(submit("4-7=x", "", KEY).await, 400);
    assert_eq!(submit("999-7=1", "", KEY).await, 409);
    assert_eq!(submit("4-7=1", "", "").await, 400);
    let preview = upload(&owner, &format!("{HEADER}4,7,400\n")).await;
    let mut fields = fields(&preview);
    fields[0].1 = "4-7=1".to_owned();
    assert_eq!(confirm(&owner, &fields).await.status, 409);
    assert_eq!(world.prices().await, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn without_redis_a_file_changes_nothing_and_can_be_confirmed_later(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, network) = world.owner_behind_a_network().await;
    let preview = upload(&owner, &format!("{HEADER}4,7,400\n")).await;
    let before = world.prices().await;
    network.set(Fault::Stopped);
    let refused = confirm(&owner, &fields(&preview)).await;
    assert_eq!((refused.status, counts(&refused)), (503, [0, 1, 0, 0]));
    assert!(refused.text.contains("Nothing was changed: the store of cached prices does not answer"));
    assert_eq!(world.prices().await, before);
}
