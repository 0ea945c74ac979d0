//! Files of the catalogue: how they may be written, and the faults that are found in them.

use migrate::App;
use serde_json::json;
use shared::{catalogue::import::Files, database::MIGRATOR};
use sqlx::PgPool;

use crate::{
    app,
    catalogue::{import, rows, version, with},
    handle,
};

#[sqlx::test(migrator = "MIGRATOR")]
async fn bad_values_are_reported_with_file_line_and_column_and_change_nothing(pool: PgPool) {
    let app = app(&pool);
    let imported = import(&app, &testing::catalogue_files()).await.unwrap();
    let mut files = with("service_pricing.csv", |text| {
        text.replacen("1,2,559.00", "1,2,12.345", 1).replacen("1,3,599.00", "1,999,599.00", 1) + "1,1,5.00\n1,2\n"
    });
    files.insert("vehicle_types.csv".to_owned(), "id,name,slug\n1,,scooter\n0,Motorcycle,motorcycle\n".to_owned());
    let shop = files["shop_info.json"].replacen("\"09:00\"", "\"21:00\"", 1);
    files.insert("shop_info.json".to_owned(), shop);
    let prices = testing::catalogue_files()["service_pricing.csv"].lines().count();
    assert_eq!(
        import(&app, &files).await,
        Err(format!(
            "nothing was changed; 7 faults:\n\
            vehicle_types.csv line 2 column 2 (name): a value is needed\n\
            vehicle_types.csv line 3 column 1 (id): a whole number from 1 is needed\n\
            service_pricing.csv line 3 column 3 (price): an amount above 0 in rupees with at most two places is needed\n\
            service_pricing.csv line {} column 1: 3 fields are needed, 2 are there\n\
            shop_info.json line 20 column 5: a day must open before it closes\n\
            service_pricing.csv line {} column 2 (vehicle_model_id): the same stands in line 2\n\
            service_pricing.csv line 4 column 2 (vehicle_model_id): there is no row with the id 999",
            prices + 2,
            prices + 1
        ))
    );
    assert_eq!(imported["version"], version(&pool).await);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn repeated_rows_are_told_in_the_order_of_the_file_with_the_first_of_each(pool: PgPool) {
    let files = with("service_pricing.csv", |text| text.to_owned() + "2,1,5.00\n1,2,5.00\n1,2,6.00\n");
    let lines: Vec<&str> = files["service_pricing.csv"].lines().collect();
    let first = |key: &str| lines.iter().position(|line| line.starts_with(key)).unwrap() + 1;
    let told = [(lines.len() - 2, "2,1,"), (lines.len() - 1, "1,2,"), (lines.len(), "1,2,")].map(|(line, key)| {
        let first = first(key);
        format!("service_pricing.csv line {line} column 2 (vehicle_model_id): the same stands in line {first}")
    });
    let expected = format!("nothing was changed; 3 faults:\n{}", told.join("\n"));
    assert_eq!(import_error(&app(&pool), files).await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_catalogue_or_event_is_reported_in_a_sentence(pool: PgPool) {
    let app = app(&pool);
    let fault = |name: &str, change: fn(&str) -> String| import_error(&app, with(name, change));
    for (told, expected) in [
        (
            fault("vehicle_models.csv", |_| String::new()).await,
            "vehicle_models.csv line 1 column 1: the first line must be id,vehicle_brand_id,name,engine_cc,fuel",
        ),
        (
            fault("vehicle_models.csv", |text| text.replace("petrol\n", "diesel\n")).await,
            "vehicle_models.csv line 2 column 5 (fuel): \"diesel\" is none of petrol, electric",
        ),
        (
            fault("services.csv", |text| text.replacen(",90\n", ",-90\n", 1)).await,
            "services.csv line 2 column 5 (duration_minutes): a whole number from 1 to 1440 is needed",
        ),
        (
            fault("services.csv", |text| text.replacen("2,1,Full Periodic Service", "2,1,Basic Periodic Service", 1))
                .await,
            "services.csv line 3 column 3 (name): the same stands in line 2",
        ),
        (
            fault("shop_info.json", |text| text.replace("\"slot_minutes\": 60", "\"slot_minutes\": \"sixty\"")).await,
            "shop_info.json line 43 column 25: invalid type: string \"sixty\", expected i32",
        ),
        (
            fault("shop_info.json", |text| text.replace("\"slot_minutes\": 60", "\"slot_minutes\": 50")).await,
            "shop_info.json line 43 column 20: a multiple of 15 from 15 to 1440 is needed",
        ),
        (
            fault("shop_info.json", |text| text.replacen("\"19:00\"", "\"23:59\"", 1)).await,
            "shop_info.json line 20 column 5: hours must be multiples of 15 minutes; midnight is written as 24:00",
        ),
        (
            fault("shop_info.json", |text| text.replacen("\"09:00\"", "\"9 am\"", 1)).await,
            "shop_info.json line 20 column 5: a time must be written as HH:MM",
        ),
        (fault("shop_info.json", |_| "[".to_owned()).await, "shop_info.json line 1 column 1"),
        (
            fault("shop_info.json", |text| text.replace("Asia/Kolkata", "Asia/Atlantis")).await,
            "nothing was changed: shop_info.json: \"Asia/Atlantis\" is no time zone that Postgres knows",
        ),
        (import_error(&app, Files::new()).await, "vehicle_types.csv line 1 column 1: the file is missing"),
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(handle(&app, json!({ "action": "drop_everything" })).await.unwrap_err().contains("unknown variant"));
    assert!(handle(&app, json!({})).await.unwrap_err().contains("missing field `action`"));
    let types: i64 = sqlx::query_scalar("select count(*) from vehicle_types").fetch_one(&pool).await.unwrap();
    assert_eq!(types, 0);
}

async fn import_error(app: &App, files: Files) -> String {
    import(app, &files).await.unwrap_err()
}

/// A CSV file as a spreadsheet saves it: an empty column, ids with decimals, rows that were emptied.
fn saved_by_a_spreadsheet(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(number, line)| match line.split_once(',') {
        Some((id, rest)) if number > 0 => format!("{id}.0,{rest},,\r\n"),
        _ => format!("{line},,\r\n"),
    });
    let empty = ",".repeat(text.lines().next().unwrap_or_default().matches(',').count() + 2);
    format!("\u{feff}{}{empty}\r\n{empty}\r\n\r\n", lines.collect::<String>())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn files_are_read_as_spreadsheets_and_editors_save_them(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    let mut saved = files.clone();
    for (name, text) in &mut saved {
        let is_table = name != "shop_info.json";
        *text = if is_table { saved_by_a_spreadsheet(text) } else { format!("\u{feff}{text}") };
    }
    assert!(saved["services.csv"].contains("1.0,"));
    let first = import(&app, &saved).await.unwrap();
    assert_eq!((&first["service_prices"], &first["shop"]), (&rows(7279, 0, 0, 0), &rows(7, 0, 0, 0)));
    let second = import(&app, &files).await.unwrap();
    assert_eq!((&second["services"], &second["vehicle_models"]), (&rows(0, 0, 49, 0), &rows(0, 0, 220, 0)));

    let faulty = with("services.csv", |text| text.replacen("Engine Oil Change", "Engine\u{1b} Oil Change", 1));
    let refused = import(&app, &faulty).await.unwrap_err();
    assert!(refused.contains("column 3 (name): control characters cannot be kept"), "{refused}");
    let landline = with("shop_info.json", |text| text.replace("+910000000000", "+91 80 4567 8901"));
    import(&app, &landline).await.unwrap();
    let until_midnight = with("shop_info.json", |text| text.replace("\"19:00\"", "\"24:00\""));
    import(&app, &until_midnight).await.unwrap();
    let closing: String =
        sqlx::query_scalar("select max(closes_at)::text from opening_hours").fetch_one(&pool).await.unwrap();
    assert_eq!(closing, "24:00:00");
}
