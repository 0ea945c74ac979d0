//! Prices that two people change, and forms that are sent again.

use sqlx::PgPool;

use crate::{
    World,
    browser::input,
    prices::{BRAND, cell_of, filled, saved, send},
};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_price_that_another_user_has_changed_is_shown_with_both_and_then_overwritten_knowingly(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, colleague) = (world.owner().await, world.person("second@example.com", "admin").await);
    let (mine, theirs) = (owner.get(BRAND).await, colleague.get(BRAND).await);
    saved(&send(&colleague, BRAND, &filled(&theirs, &[("price-4-7", "400"), ("price-7-7", "210")], false)).await);
    let before = world.prices().await;
    let refused = send(&owner, BRAND, &filled(&mine, &[("price-4-7", "395"), ("price-6-7", "245")], false)).await;
    assert_eq!(refused.status, 409);
    assert_eq!(world.prices().await, before, "nothing is half saved");
    let clash = cell_of(&refused, "price-4-7");
    assert!(clash.contains("class=\"changed clash\"") && clash.contains("value=\"395\""), "{clash}");
    assert!(clash.contains("<small class=\"theirs\" id=\"about-price-4-7\">Now saved: ₹400.00</small>"), "{clash}");
    assert_eq!(input(&refused, "price-6-7"), "245");
    assert_eq!(input(&refused, "price-7-7"), "210.00", "what was not typed into is the newest");
    // A third change is a clash again; the knowing overwrite is saved, and only that.
    saved(&send(&colleague, BRAND, &filled(&colleague.get(BRAND).await, &[("price-4-7", "401")], true)).await);
    let again = send(&owner, BRAND, &filled(&refused, &[], false)).await;
    assert_eq!(again.status, 409);
    assert!(cell_of(&again, "price-4-7").contains("Now saved: ₹401.00"));
    let kept = send(&owner, BRAND, &filled(&again, &[], false)).await;
    assert_eq!(saved(&kept).1, "/admin/prices/?brand=2&done=saved&count=2");
    let now = [world.price(4, 7).await, world.price(6, 7).await, world.price(7, 7).await];
    assert_eq!(now, [Some(39_500), Some(24_500), Some(21_000)]);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn after_a_fault_is_corrected_a_clash_is_still_found(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let page = owner.get(BRAND).await;
    world.run("update service_prices set price_paise = 40000 where service_id = 4 and vehicle_model_id = 7").await;
    let faulty = send(&owner, BRAND, &filled(&page, &[("price-4-7", "395"), ("price-6-7", "x")], false)).await;
    assert_eq!(faulty.status, 400);
    let corrected = send(&owner, BRAND, &filled(&faulty, &[("price-6-7", "245")], false)).await;
    assert_eq!(corrected.status, 409);
    assert_eq!((world.price(4, 7).await, world.price(6, 7).await), (Some(40_000), Some(24_000)));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_form_that_is_sent_twice_does_its_work_once(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let fields = filled(&owner.get(BRAND).await, &[("price-4-7", "395"), ("price-6-7", "")], false);
    assert!(saved(&send(&owner, BRAND, &fields).await).1.ends_with("count=2"));
    let once = world.prices().await;
    let second = send(&owner, BRAND, &fields).await;
    assert!(saved(&second).1.ends_with("count=0"));
    assert_eq!(world.prices().await, once);
    let page = owner.get(second.header("location")).await;
    assert!(page.text.contains("Nothing to save: these prices are the saved ones."));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn two_people_at_once_save_different_cells_and_one_of_two_prices_for_the_same(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, colleague) = (world.owner().await, world.person("second@example.com", "admin").await);
    let page = owner.get(BRAND).await;
    let (mine, theirs) = (filled(&page, &[("price-6-7", "241")], false), filled(&page, &[("price-7-7", "201")], false));
    let both = futures::join!(send(&owner, BRAND, &mine), send(&colleague, BRAND, &theirs));
    assert_eq!((both.0.status, both.1.status), (303, 303));
    assert_eq!((world.price(6, 7).await, world.price(7, 7).await), (Some(24_100), Some(20_100)));
    let (mine, theirs) = (filled(&page, &[("price-4-7", "391")], false), filled(&page, &[("price-4-7", "392")], false));
    let both = futures::join!(send(&owner, BRAND, &mine), send(&colleague, BRAND, &theirs));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    let winner = if both.0.status == 303 { 39_100 } else { 39_200 };
    assert_eq!(world.price(4, 7).await, Some(winner));
}
