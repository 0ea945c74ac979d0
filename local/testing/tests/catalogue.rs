//! Changes of single rows of the catalogue and the shop: atomic for every reader, like an import.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use chrono::NaiveDate;
use shared::{
    Error, Result,
    catalogue::{
        change,
        hours::{self, OpeningHours},
        prices::{self, Price},
        service_categories, services,
        shop::{self, Shop},
        vehicle_brands, vehicle_models,
        vehicle_types::{self, VehicleType},
    },
    database::{Database, MIGRATOR},
    day_minute::DayMinute,
    history::{Author, Source},
    ids::{ServiceId, VehicleModelId, VehicleTypeId},
    money::Money,
    redis::Redis,
};
use sqlx::{PgConnection, PgPool};
use testing::{Fault, Network, random_prefix, redis_at, redis_url};

struct World {
    database: Database,
    redis: Redis,
    pool: PgPool,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let redis = testing::redis();
        testing::import_catalogue(&pool, &redis).await;
        Self { database: Database::from(pool.clone()), redis, pool }
    }

    /// Runs a change. Returns whether it changed a row and whether the version advanced.
    async fn change(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<bool>) -> Result<(bool, bool)> {
        let before = self.version().await;
        let work = async |connection: &mut PgConnection| {
            let changed = work(connection).await?;
            Ok::<_, Error>((changed, changed))
        };
        let (changed, version) = change(&self.database, &self.redis, &Author::system(Source::Panel), work).await?;
        assert_eq!(version, self.version().await);
        Ok((changed, version > before))
    }

    async fn version(&self) -> i64 {
        sqlx::query_scalar("select version from catalogue_versions").fetch_one(&self.pool).await.unwrap()
    }
}

fn scooter(name: &str) -> VehicleType {
    VehicleType { name: name.to_owned(), slug: "scooter".to_owned(), image: None }
}

fn shop(time_zone: &str) -> Shop {
    Shop {
        name: "Namma".to_owned(),
        address: "1 Main Road".to_owned(),
        phone: "+919876543210".parse().unwrap(),
        email: "shop@example.com".to_owned(),
        latitude: 12.5,
        longitude: 77.5,
        time_zone: time_zone.to_owned(),
        slot_minutes: 30,
        shop_capacity: 3,
        home_capacity: 1,
        home_radius_km: 10,
        minimum_notice_minutes: 60,
        booking_horizon_days: 30,
    }
}

const CHANGED: (bool, bool) = (true, true);
const THE_SAME: (bool, bool) = (false, false);

#[sqlx::test(migrator = "MIGRATOR")]
async fn rewriting_archiving_and_restoring_a_row_is_idempotent(pool: PgPool) {
    let world = World::new(pool).await;
    let mut id = VehicleTypeId(0);
    let added = world.change(async |connection| {
        id = vehicle_types::add(connection, &scooter("Moped")).await?;
        Ok(true)
    });
    assert_eq!(added.await.unwrap(), CHANGED);
    for expected in [CHANGED, THE_SAME] {
        let named = world.change(async |connection| vehicle_types::rewrite(connection, id, &scooter("Mofa")).await);
        assert_eq!(named.await.unwrap(), expected);
    }
    for expected in [CHANGED, THE_SAME] {
        let archived = world.change(async |connection| vehicle_types::archive(connection, id).await);
        assert_eq!(archived.await.unwrap(), expected);
    }
    for expected in [CHANGED, THE_SAME] {
        let restored = world.change(async |connection| vehicle_types::restore(connection, id).await);
        assert_eq!(restored.await.unwrap(), expected);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_taken_name_is_a_conflict_and_a_missing_row_is_not_found(pool: PgPool) {
    let world = World::new(pool).await;
    let taken = world.change(async |connection| {
        vehicle_types::add(connection, &scooter("Scooter")).await?;
        Ok(true)
    });
    assert!(matches!(taken.await, Err(Error::Conflict(_))));
    let missing = [
        world.change(async |connection| vehicle_brands::archive(connection, 0.into()).await).await,
        world.change(async |connection| vehicle_models::restore(connection, 0.into()).await).await,
        world.change(async |connection| service_categories::archive(connection, 0.into()).await).await,
        world.change(async |connection| services::archive(connection, 0.into()).await).await,
    ];
    for outcome in missing {
        assert!(matches!(outcome, Err(Error::NotFound(_))));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn prices_are_set_and_removed_by_service_and_model(pool: PgPool) {
    let world = World::new(pool).await;
    let price = |paise: Option<i64>| {
        [Price { service_id: ServiceId(4), vehicle_model_id: VehicleModelId(7), price: paise.map(Money::from_paise) }]
    };
    for (paise, expected) in [(Some(39_100), CHANGED), (Some(39_100), THE_SAME), (None, CHANGED), (None, THE_SAME)] {
        let set = world.change(async |connection| Ok(prices::set(connection, &price(paise)).await? > 0));
        assert_eq!(set.await.unwrap(), expected, "{paise:?}");
        let kept: Option<i64> =
            sqlx::query_scalar("select price_paise from service_prices where service_id = 4 and vehicle_model_id = 7")
                .fetch_optional(&world.pool)
                .await
                .unwrap();
        assert_eq!(kept, paise);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn hours_holidays_and_the_shop_are_rewritten(pool: PgPool) {
    let world = World::new(pool).await;
    let week = [OpeningHours { weekday: 1, opens_at: "08:15".parse().unwrap(), closes_at: DayMinute::END }];
    for expected in [CHANGED, THE_SAME] {
        let set = world.change(async |connection| hours::set_week(connection, &week).await);
        assert_eq!(set.await.unwrap(), expected);
    }
    let (first, last) = (NaiveDate::from_ymd_opt(2027, 1, 14).unwrap(), NaiveDate::from_ymd_opt(2027, 1, 16).unwrap());
    for expected in [CHANGED, THE_SAME] {
        let added = world.change(async |connection| hours::add_holidays(connection, first, last, "Pongal").await);
        assert_eq!(added.await.unwrap(), expected);
    }
    for expected in [CHANGED, THE_SAME] {
        let removed = world.change(async |connection| hours::remove_holiday(connection, last).await);
        assert_eq!(removed.await.unwrap(), expected);
    }
    let holidays: Vec<NaiveDate> =
        sqlx::query_scalar("select date from holidays order by date").fetch_all(&world.pool).await.unwrap();
    assert_eq!(holidays, [first, first.succ_opt().unwrap()]);
    for expected in [CHANGED, THE_SAME] {
        let written = world.change(async |connection| shop::rewrite(connection, &shop("Asia/Kolkata")).await);
        assert_eq!(written.await.unwrap(), expected);
    }
    let unknown = world.change(async |connection| shop::rewrite(connection, &shop("Mars/Olympus")).await);
    assert!(matches!(unknown.await, Err(Error::Validation(_))));
}

/// The validation errors of a change that is refused.
fn faults(refused: Result<(bool, bool)>) -> serde_json::Value {
    match refused {
        Err(Error::Validation(faults)) => serde_json::json!(faults),
        other => panic!("{other:?}"),
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn hours_and_slots_off_the_quarter_of_an_hour_are_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let day = |weekday, opens_at: &str, closes_at: &str| OpeningHours {
        weekday,
        opens_at: opens_at.parse().unwrap(),
        closes_at: closes_at.parse().unwrap(),
    };
    let week = [day(1, "09:10", "19:00"), day(2, "09:00", "23:59"), day(3, "19:00", "09:00"), day(4, "00:00", "24:00")];
    let refused = world.change(async |connection| hours::set_week(connection, &week).await).await;
    let quarters = "Enter times on the quarter of an hour, such as 09:15. Midnight is 24:00.";
    assert_eq!(
        faults(refused),
        serde_json::json!({
            "monday": [quarters], "tuesday": [quarters], "wednesday": ["The shop must open before it closes."]
        })
    );
    for slot_minutes in [0, 5, 20, 1441, 1455, -15] {
        let cut = Shop { slot_minutes, ..shop("Asia/Kolkata") };
        let refused = world.change(async |connection| shop::rewrite(connection, &cut).await).await;
        let sentence = "Enter a multiple of 15 minutes, from 15 to 1440.";
        assert_eq!(faults(refused), serde_json::json!({ "slot_minutes": [sentence] }), "{slot_minutes}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_without_redis_is_refused_and_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let (network, url) = Network::to_url(&redis_url()).await;
    network.set(Fault::Stopped);
    let world = World { redis: redis_at(&url, &random_prefix()), ..world };
    let before = world.version().await;
    let price =
        [Price { service_id: ServiceId(4), vehicle_model_id: VehicleModelId(7), price: Some(Money::from_paise(1)) }];
    let refused = world.change(async |connection| Ok(prices::set(connection, &price).await? > 0)).await;
    assert!(matches!(refused, Err(Error::Redis(_))));
    let kept: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 4 and vehicle_model_id = 7")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!((kept > 1, world.version().await), (true, before));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_changes_are_serialized(pool: PgPool) {
    let world = World::new(pool).await;
    let raise = async |paise| {
        // A connection per change, as in functions.
        let database = Database::new((*world.pool.connect_options()).clone());
        let price = [Price {
            service_id: ServiceId(4),
            vehicle_model_id: VehicleModelId(7),
            price: Some(Money::from_paise(paise)),
        }];
        let set = async |connection: &mut PgConnection| {
            let changed = prices::set(connection, &price).await? > 0;
            Ok::<_, Error>((paise, changed))
        };
        change(&database, &world.redis, &Author::system(Source::Panel), set).await.unwrap()
    };
    let mut done = futures::future::join_all((1..=8).map(raise)).await;
    done.sort_by_key(|(_, version)| *version);
    let versions: Vec<i64> = done.iter().map(|(_, version)| *version).collect();
    assert!(versions.windows(2).all(|pair| pair.first() < pair.last()), "{versions:?}");
    let kept: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 4 and vehicle_model_id = 7")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(
        Some(kept),
        done.last().map(|(paise, _)| *paise),
        "the newest version has the price that was written last"
    );
}
