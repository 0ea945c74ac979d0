//! The change of prices by percent.

use std::collections::BTreeMap;

use sqlx::PgPool;
use testing::Answer;

use crate::{
    World,
    browser::input,
    prices::{saved, send},
};

/// The fields of a previewed change by percent.
pub(crate) const PERCENT: &[&str] = &["brand", "percent", "rounding", "over", "fingerprint", "form_key"];

/// The hidden fields of the confirmation on a page, which follows the form that was filled in.
pub(crate) fn confirmation(page: &Answer, names: &[&str]) -> Vec<(String, String)> {
    let at = page.text.find("form class=\"actions\"").unwrap_or_else(|| panic!("no confirmation: {}", page.text));
    let form = Answer { text: page.text[at..].to_owned(), ..page.clone() };
    names.iter().map(|name| ((*name).to_owned(), input(&form, name))).collect()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn prices_change_by_percent_as_the_preview_has_listed(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let before = world.prices().await;
    let form = owner.get("/admin/prices/percent/?brand=2").await;
    assert_eq!(form.status, 200, "{}", form.text);
    assert!(
        form.text.contains("<option value=\"category-2\">") && form.text.contains("<option value=\"10\" selected>")
    );
    let preview = owner.get("/admin/prices/percent/?brand=2&percent=%2B5&rounding=10&over=service-4").await;
    // ₹390.00 + 5 % is ₹409.50, which is nearest to ₹410.00.
    let row = "<td data-label=\"Service\">Engine Oil Change</td><td data-label=\"Model\">Honda Activa 6G</td>\
        <td class=\"num\" data-label=\"Price now\">₹390.00</td><td class=\"num\" data-label=\"New price\">₹410.00</td>";
    assert!(preview.text.contains(row) && preview.text.contains("7 prices would change"), "{}", preview.text);
    assert_eq!(world.prices().await, before, "a preview writes nothing");
    let fields = confirmation(&preview, PERCENT);
    let answer = send(&owner, "/admin/prices/percent/", &fields).await;
    assert_eq!(saved(&answer).1, "/admin/prices/?brand=2&done=saved&count=7");
    let mut expected = before;
    for ((service, model), (paise, _)) in &mut expected {
        if *service == 4 && (7..=15).contains(model) {
            *paise = (*paise * 105 + 50_000) / 100_000 * 1_000;
        }
    }
    let paise = |prices: BTreeMap<(i64, i64), (i64, String)>| -> BTreeMap<(i64, i64), i64> {
        prices.into_iter().map(|(pair, (paise, _))| (pair, paise)).collect()
    };
    assert_eq!(paise(world.prices().await), paise(expected));
    // Sent twice, it is done once.
    let once = world.prices().await;
    let again = send(&owner, "/admin/prices/percent/", &fields).await;
    assert_eq!(saved(&again).1, "/admin/prices/?brand=2&done=saved&count=7");
    assert_eq!(world.prices().await, once);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_long_preview_lists_the_first_200_and_counts_the_rest(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let preview = owner.get("/admin/prices/percent/?brand=2&percent=50&rounding=none&over=all").await;
    assert!(preview.text.contains("284 prices would change") && preview.text.contains("and 84 more"));
    assert_eq!(preview.text.matches("data-label=\"New price\"").count(), 200);
    let nothing = owner.get("/admin/prices/percent/?brand=2&percent=0.01&rounding=10&over=category-2").await;
    assert!(nothing.text.contains("No price changes.") && !nothing.text.contains("fingerprint"));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_change_by_percent_is_refused_with_a_new_preview_if_a_price_has_changed_meanwhile(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let preview = owner.get("/admin/prices/percent/?brand=2&percent=5&rounding=10&over=service-4").await;
    let fields = confirmation(&preview, PERCENT);
    world.run("update service_prices set price_paise = 50000 where service_id = 4 and vehicle_model_id = 7").await;
    let before = world.prices().await;
    let refused = send(&owner, "/admin/prices/percent/", &fields).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Nothing was saved: prices have changed") && refused.text.contains("₹530.00"));
    assert_eq!(world.prices().await, before);
    // The key of the refused form is free, and the new list can be confirmed.
    assert_eq!(send(&owner, "/admin/prices/percent/", &fields).await.status, 409);
    saved(&send(&owner, "/admin/prices/percent/", &confirmation(&refused, PERCENT)).await);
    assert_eq!(world.price(4, 7).await, Some(53_000));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_percentage_out_of_bounds_or_a_price_too_high_is_not_offered_for_confirmation(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    for percent in ["-51", "101", "0", "abc"] {
        let page = owner.get(&format!("/admin/prices/percent/?brand=2&percent={percent}&rounding=10&over=all")).await;
        assert_eq!(page.status, 400);
        assert!(page.text.contains("Enter a percentage from -50 to 100") && !page.text.contains("fingerprint"));
    }
    world.run("update service_prices set price_paise = 99000000 where service_id = 4 and vehicle_model_id = 7").await;
    let page = owner.get("/admin/prices/percent/?brand=2&percent=5&rounding=10&over=model-7").await;
    assert!(page.text.contains("Some new prices would be above ₹10,00,000.00") && !page.text.contains("fingerprint"));
    let elsewhere = owner.get("/admin/prices/percent/").await;
    assert_eq!(saved(&elsewhere).1, "/admin/prices/");
}
