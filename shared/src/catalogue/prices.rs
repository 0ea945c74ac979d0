//! Prices of services by vehicle model. A service without a price for a model is not offered for it.

use sqlx::PgConnection;

use crate::{
    Result,
    ids::{ServiceId, VehicleModelId},
    money::Money,
};

/// The highest price: a guard against a slip of the hand.
pub const HIGHEST: Money = Money::from_paise(100_000_000);

/// A price to set or remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub service_id: ServiceId,
    pub vehicle_model_id: VehicleModelId,
    /// Above 0; `None` removes the price, so the service is not offered for the model.
    pub price: Option<Money>,
}

/// Sets and removes prices, in one statement each; returns the number of changed rows. Equal prices are not rewritten.
pub async fn set(connection: &mut PgConnection, prices: &[Price]) -> Result<u64> {
    let kept = prices.iter().filter_map(|price| price.price.map(|paise| (price, paise)));
    let (services, models, paise) = unzip(kept.map(|(price, money)| (price, money.paise())));
    let gone = prices.iter().filter(|price| price.price.is_none()).map(|price| (price, 0));
    let (gone_services, gone_models, _) = unzip(gone);
    let removed = sqlx::query!(
        "
        delete from service_prices price using unnest($1::bigint[], $2::bigint[]) as gone (service_id, vehicle_model_id)
        where price.service_id = gone.service_id and price.vehicle_model_id = gone.vehicle_model_id
        ",
        &gone_services,
        &gone_models
    )
    .execute(&mut *connection)
    .await?;
    let written = sqlx::query!(
        "
        insert into service_prices as kept (service_id, vehicle_model_id, price_paise)
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])
        on conflict (vehicle_model_id, service_id) do update
            set price_paise = excluded.price_paise, updated_at = now()
            where kept.price_paise <> excluded.price_paise
        ",
        &services,
        &models,
        &paise
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() + written.rows_affected())
}

fn unzip<'a>(prices: impl Iterator<Item = (&'a Price, i64)>) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let (mut services, mut models, mut paise) = (Vec::new(), Vec::new(), Vec::new());
    for (price, money) in prices {
        services.push(price.service_id.0);
        models.push(price.vehicle_model_id.0);
        paise.push(money);
    }
    (services, models, paise)
}
