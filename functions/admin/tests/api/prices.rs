//! The grid of prices.

use std::collections::BTreeMap;

use descope_stand_in::StandIn;
use shared::{database::Database, money::Money};
use sqlx::PgPool;
use testing::{Answer, Fault, Network, random_prefix, redis_at, redis_url};

use crate::{
    World,
    browser::{Browser, input},
    panel,
    percent::{PERCENT, confirmation},
};

/// A brand of the sample shop: 9 models, of which 7 is the Activa 6G.
pub(crate) const BRAND: &str = "/admin/prices/?brand=2";

impl World {
    /// The price of service 4 (engine oil change) and others for a model, in paise.
    pub(crate) async fn price(&self, service_id: i64, vehicle_model_id: i64) -> Option<i64> {
        sqlx::query_scalar("select price_paise from service_prices where service_id = $1 and vehicle_model_id = $2")
            .bind(service_id)
            .bind(vehicle_model_id)
            .fetch_optional(&self.pool)
            .await
            .unwrap()
    }

    /// Everything that the table of prices holds, with the time of the last change.
    pub(crate) async fn prices(&self) -> BTreeMap<(i64, i64), (i64, String)> {
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as("select service_id, vehicle_model_id, price_paise, updated_at::text from service_prices")
                .fetch_all(&self.pool)
                .await
                .unwrap();
        rows.into_iter().map(|(service, model, paise, at)| ((service, model), (paise, at))).collect()
    }

    pub(crate) async fn run(&self, statement: &str) {
        sqlx::query(statement).execute(&self.pool).await.unwrap();
    }

    /// The owner's browser over a panel whose catalogue changes go through this network to Redis.
    pub(crate) async fn owner_behind_a_network(&self) -> (Browser, Network) {
        let owner = self.owner().await;
        let (network, url) = Network::to_url(&redis_url()).await;
        let catalogue_redis = redis_at(&url, &random_prefix());
        let client = panel(&self.pool, &self.descope_url(), &self.redis, &catalogue_redis);
        (owner.through(&client), network)
    }

    fn descope_url(&self) -> String {
        StandIn::url(&self.descope)
    }
}

/// The inputs of a grid with what they show.
pub(crate) fn cells(page: &Answer) -> BTreeMap<String, String> {
    let names =
        page.text.split("name=\"price-").skip(1).map(|rest| format!("price-{}", rest.split('"').next().unwrap()));
    names.map(|name| (name.clone(), input(page, &name))).collect()
}

/// What a browser sends of a grid in which some cells were typed into: everything, or, with script, only what changed.
pub(crate) fn filled<'a>(page: &Answer, typed: &[(&'a str, &'a str)], has_script: bool) -> Vec<(String, String)> {
    let mut fields = BTreeMap::from([("was".to_owned(), input(page, "was"))]);
    if !has_script {
        fields.extend(cells(page));
    }
    fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields.into_iter().collect()
}

pub(crate) async fn send(browser: &Browser, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit(path, &fields).await
}

pub(crate) fn saved(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    (answer.status, answer.header("location"))
}

/// The cell of an input, from `<td` to `</td>`.
pub(crate) fn cell_of<'a>(page: &'a Answer, name: &str) -> &'a str {
    let at = page.text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("{name}: {}", page.text));
    let start = page.text[..at].rfind("<td").unwrap();
    let end = page.text[at..].find("</td>").unwrap();
    &page.text[start..at + end]
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_grid_of_a_brand_shows_every_service_and_model_on_offer(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.run("update services set archived_at = now() where id = 1").await;
    world.run("update vehicle_models set archived_at = now() where id = 8").await;
    let page = owner.get(BRAND).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let shown = cells(&page);
    assert_eq!(shown.len(), 48 * 8);
    for (name, value) in &shown {
        let (service, model) = name.trim_start_matches("price-").split_once('-').unwrap();
        let price = world.price(service.parse().unwrap(), model.parse().unwrap()).await;
        assert_eq!(*value, price.map(|paise| Money::from_paise(paise).to_string()).unwrap_or_default(), "{name}");
    }
    assert_eq!(
        cell_of(&page, "price-4-7"),
        r#"<td class=""><input name="price-4-7" value="390.00" data-was="390.00" inputmode="decimal" aria-label="Engine Oil Change, Activa 6G">"#
    );
    assert_eq!((shown["price-4-7"].as_str(), shown["price-5-7"].as_str()), ("390.00", ""));
    assert!(page.text.contains("<h1>Prices of Honda</h1>"));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_column_a_row_and_the_choice_of_a_brand_have_pages_of_their_own(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let model = owner.get("/admin/prices/?model=7").await;
    assert_eq!(cells(&model).len(), 49);
    assert!(model.text.contains("<h1>Prices of Honda Activa 6G</h1>"));
    let row = owner.get("/admin/prices/?service=4&brand=2").await;
    assert_eq!(cells(&row).len(), 9);
    assert!(row.text.contains("<h1>Prices of Engine Oil Change for Honda</h1>"));
    let list = owner.get("/admin/prices/?service=4").await;
    let models: i64 = sqlx::query_scalar("select count(*) from vehicle_models").fetch_one(&world.pool).await.unwrap();
    assert_eq!(i64::try_from(cells(&list).len()).unwrap(), models);
    assert!(list.text.contains("<h1>Prices of Engine Oil Change</h1>"));
    let brands = owner.get("/admin/prices/").await;
    assert!(cells(&brands).is_empty());
    assert!(brands.text.contains("Honda · Scooter (284)"), "{}", brands.text);
    for nothing in ["/admin/prices/?brand=999", "/admin/prices/?brand=x", "/admin/prices/?model=0"] {
        let page = owner.get(nothing).await;
        assert_eq!((page.status, cells(&page).len()), (200, 0));
        assert!(page.text.contains("Nothing on offer here."));
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_grid_takes_three_statements_with_that_of_the_session(pool: PgPool) {
    let world = World::new(pool).await;
    let options = (*world.pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let near = Database::new(options.host("127.0.0.1").port(network.port())).pool();
    let owner = world.owner().await.through(&panel(&near, &world.descope_url(), &world.redis, &world.redis));
    // The first page also connects and prepares its statements.
    owner.get(BRAND).await;
    testing::eventually("the connection is back", async || near.num_idle() == 1).await;
    let before = network.requests();
    assert_eq!(cells(&owner.get(BRAND).await).len(), 49 * 9);
    testing::eventually("the connection is back", async || near.num_idle() == 1).await;
    // A ping follows each when the connection goes back to the pool.
    assert_eq!(network.requests() - before, 2 * 3);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn only_changed_cells_are_written_with_and_without_script(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    for (has_script, oil, wash) in [(false, "391.50", "₹1,250"), (true, "392", "1260.5")] {
        let before = world.prices().await;
        let fields =
            filled(&owner.get(BRAND).await, &[("price-4-7", oil), ("price-5-7", wash), ("price-6-7", "")], has_script);
        let answer = send(&owner, BRAND, &fields).await;
        let count = if has_script { 2 } else { 3 };
        assert_eq!(saved(&answer).1, format!("/admin/prices/?brand=2&done=saved&count={count}"));
        let page = owner.get(answer.header("location")).await;
        assert!(page.text.contains(&format!("{count} prices saved. Customers see them now.")), "{}", page.text);
        let mut after = world.prices().await;
        let written = [after.remove(&(4, 7)).unwrap().0, after.remove(&(5, 7)).unwrap().0];
        assert_eq!(written, if has_script { [39_200, 126_050] } else { [39_150, 125_000] });
        assert_eq!(world.price(6, 7).await, None);
        let untouched = before.into_iter().filter(|(pair, _)| ![(4, 7), (5, 7), (6, 7)].contains(pair));
        assert_eq!(untouched.collect::<BTreeMap<_, _>>(), after);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn one_faulty_cell_keeps_all_from_being_saved_and_all_that_was_typed(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let before = world.prices().await;
    let page = owner.get(BRAND).await;
    for (text, sentence) in [
        ("abc", "Enter an amount such as 559.00."),
        ("0", "Enter an amount above 0."),
        ("1.234", "Enter at most two decimals."),
        ("1000000.01", "The highest price is ₹10,00,000.00."),
    ] {
        let fields = filled(&page, &[("price-4-7", text), ("price-5-7", "77")], false);
        let refused = send(&owner, BRAND, &fields).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("Nothing was saved: some amounts are faulty."));
        let faulty = cell_of(&refused, "price-4-7");
        assert!(faulty.contains("class=\"changed faulty\"") && faulty.contains(sentence), "{faulty}");
        assert_eq!((input(&refused, "price-4-7").as_str(), input(&refused, "price-5-7").as_str()), (text, "77"));
        assert_eq!(world.prices().await, before);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_cell_that_is_not_of_the_grid_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.run("update services set archived_at = now() where id = 9").await;
    let before = world.prices().await;
    let page = owner.get(BRAND).await;
    // A model of another brand, a missing service, a missing model, an archived service, no ids at all.
    for foreign in ["price-4-1", "price-999-7", "price-4-999", "price-9-7", "price-4", "price-a-b", "price-4-7-7"] {
        let refused = send(&owner, BRAND, &filled(&page, &[(foreign, "5"), ("price-4-7", "395")], false)).await;
        assert_eq!(refused.status, 400, "{foreign}");
        assert!(refused.text.contains("Nothing was saved: one of the services or models is not here"));
        assert_eq!(input(&refused, "price-4-7"), "395");
        assert_eq!(world.prices().await, before, "{foreign}");
    }
    // A service that was archived after the page was opened is no obstacle to others.
    world.run("update services set archived_at = now() where id = 10").await;
    saved(&send(&owner, BRAND, &filled(&page, &[("price-4-7", "395")], false)).await);
    assert_eq!((world.price(4, 7).await, world.price(10, 7).await), (Some(39_500), Some(25_000)));
    assert_eq!(owner.submit("/admin/prices/", &[("price-4-7", "1")]).await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn without_redis_nothing_changes_and_everything_typed_is_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, network) = world.owner_behind_a_network().await;
    let before = world.prices().await;
    let page = owner.get(BRAND).await;
    network.set(Fault::Stopped);
    let refused = send(&owner, BRAND, &filled(&page, &[("price-4-7", "395")], false)).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("Nothing was changed: the store of cached prices does not answer"));
    assert_eq!(input(&refused, "price-4-7"), "395");
    let preview = owner.get("/admin/prices/percent/?brand=2&percent=5&rounding=10&over=all").await;
    let refused = send(&owner, "/admin/prices/percent/", &confirmation(&preview, PERCENT)).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("Nothing was changed: the store of cached prices does not answer"));
    assert_eq!(world.prices().await, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn staff_read_prices_and_change_none(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let before = world.prices().await;
    let page = mechanic.get(BRAND).await;
    assert_eq!((page.status, cells(&page).len()), (200, 0));
    assert!(page.text.contains("<td class=\"num\">₹390.00</td>"));
    assert!(!page.text.contains("Save prices") && !page.text.contains("/admin/prices/percent/"));
    assert_eq!(mechanic.get("/admin/prices.csv?brand=2").await.status, 200);
    assert_eq!(mechanic.submit(BRAND, &[("was", "4-7=39000"), ("price-4-7", "1")]).await.status, 403);
    for path in ["/admin/prices/percent/", "/admin/prices/file/", "/admin/prices/file/confirm/"] {
        assert_eq!(mechanic.submit(path, &[]).await.status, 403, "{path}");
        if path != "/admin/prices/file/confirm/" {
            assert_eq!(mechanic.get(path).await.status, 403, "{path}");
        }
    }
    assert_eq!(world.prices().await, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_name_with_markup_is_a_text_on_every_page(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let bad = "<script>alert(1)</script>\"'";
    for table in ["services", "service_categories", "vehicle_models", "vehicle_brands"] {
        let id = if table == "services" {
            4
        } else if table == "vehicle_models" {
            7
        } else {
            2
        };
        sqlx::query(&format!("update {table} set name = $1 where id = {id}"))
            .bind(bad)
            .execute(&world.pool)
            .await
            .unwrap();
    }
    let file = b"service_id,vehicle_model_id,service,price\n4,7,<script>x,5\n5,7,,<script>\n6,7,,1\n";
    for page in [
        owner.get("/admin/prices/").await,
        owner.get(BRAND).await,
        owner.get("/admin/prices/?service=4").await,
        owner.get("/admin/prices/percent/?brand=2&percent=5&rounding=10&over=%3Cscript%3E").await,
        owner.get("/admin/prices/percent/?brand=2&percent=5&rounding=10&over=all").await,
        owner.upload("/admin/prices/file/", "file", file).await,
        send(&owner, BRAND, &[("price-4-7".to_owned(), bad.to_owned())]).await,
    ] {
        assert!(page.text.contains("&lt;script&gt;"), "{}", page.text);
        assert_eq!(page.text.matches("<script").count(), 1, "only the panel's own");
    }
}
