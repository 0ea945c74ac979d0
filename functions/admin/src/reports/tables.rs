//! The tables of the reports, each with links to what it counts.

use chrono::Days as Count;

use super::{
    days::{Days, Moved},
    period::Period,
    table::{Item, Table, Title, percent},
    work::{Hour, Pool, Top, Work},
};
use crate::kit::page::Place;

/// All tables; those about money only for administrators.
pub(super) fn all(days: &Days, work: &Work, is_admin: bool) -> Vec<Table> {
    let mut tables = vec![overview(days, work, is_admin), parts(days, is_admin)];
    if is_admin {
        tables.push(revenue(days));
    }
    tables.push(hours(days.period, &work.hours));
    let services = Place { path: "/admin/reports/services/", title: "Top services" };
    tables.push(top("services", services, "Service", "service=", (days.period, &work.services, is_admin)));
    let models = Place { path: "/admin/reports/models/", title: "Top models" };
    tables.push(top("models", models, "Model", "model=%23", (days.period, &work.models, is_admin)));
    tables
}

/// The keys of tables that hold nothing but money.
pub(super) const MONEY: [&str; 1] = ["revenue"];

fn overview(days: &Days, work: &Work, is_admin: bool) -> Table {
    let Period { from, to, .. } = days.period;
    let (now, before) = (&days.now, &days.before);
    let count = |title: &str, now: i64, before: i64, address: String| {
        vec![Item::text(title), Item::number(now).to(address), Item::number(before), Item::change(now, before)]
    };
    let amount = |title: &str, now: i64, before: i64, address: String| {
        vec![Item::text(title), Item::paise(now).to(address), Item::paise(before), Item::change(now, before)]
    };
    let bookings = |filters: &str| Period::bookings(from, to, filters);
    let day_before = from.checked_sub_days(Count::new(1)).unwrap_or(from);
    let new = format!("/admin/customers/?created_from={from}&created_to={to}");
    let returning = format!("/admin/customers/?visited_from={from}&visited_to={to}&created_to={day_before}");
    let mut rows = vec![
        count("Bookings", now.bookings, before.bookings, bookings("")),
        count("Finished jobs", now.completed, before.completed, bookings("&status=completed")),
        count("Cancelled", now.cancelled, before.cancelled, bookings("&status=cancelled")),
        count("Did not come", now.no_shows, before.no_shows, bookings("&status=no_show")),
        count("New customers", work.new, work.new_before, new),
        count("Returning customers", work.returning, work.returning_before, returning),
    ];
    if is_admin {
        let payments = |filters: &str| Period::payments(from, to, filters);
        rows.extend([
            amount("Revenue", now.revenue().kept(), before.revenue().kept(), payments("")),
            amount("Revenue in cash", now.cash.kept(), before.cash.kept(), payments("&method=cash")),
            amount("Revenue online", now.online.kept(), before.online.kept(), payments("&method=razorpay")),
            amount("Still due", now.due, before.due, bookings("&paid=no")),
        ]);
    }
    Table {
        place: Place { path: "/admin/reports/overview/", title: "Overview" },
        key: "overview",
        columns: vec![
            Title("What", false),
            Title("This period", true),
            Title("Period before", true),
            Title("Change in %", true),
        ],
        rows,
    }
}

fn parts(days: &Days, is_admin: bool) -> Table {
    let by = days.period.by;
    let mut columns = vec![
        Title(by.words().1, false),
        Title("Bookings", true),
        Title("Finished", true),
        Title("Cancelled", true),
        Title("Did not come", true),
    ];
    if is_admin {
        columns.extend([Title("Cash", true), Title("Online", true), Title("Revenue", true), Title("Still due", true)]);
    }
    let rows = days.parts.iter().map(|part| {
        let bookings = |filters: &str| Period::bookings(part.from, part.to, filters);
        let payments = |filters: &str| Period::payments(part.from, part.to, filters);
        let sums = &part.sums;
        let mut row = vec![
            Item::text(by.label(part.from, part.to)).in_file(part.from.to_string()),
            Item::number(sums.bookings).to(bookings("")),
            Item::number(sums.completed).to(bookings("&status=completed")),
            Item::number(sums.cancelled).to(bookings("&status=cancelled")),
            Item::number(sums.no_shows).to(bookings("&status=no_show")),
        ];
        if is_admin {
            row.extend([
                Item::paise(sums.cash.kept()).to(payments("&method=cash")),
                Item::paise(sums.online.kept()).to(payments("&method=razorpay")),
                Item::paise(sums.revenue().kept()).to(payments("")),
                Item::paise(sums.due).to(bookings("&paid=no")),
            ]);
        }
        row
    });
    let title = match by.words().0 {
        "week" => "By week",
        "month" => "By month",
        _ => "By day",
    };
    Table { place: Place { path: "/admin/reports/by-time/", title }, key: "time", rows: rows.collect(), columns }
}

fn revenue(days: &Days) -> Table {
    let Period { from, to, .. } = days.period;
    let row = |title: &str, now: Moved, before: Moved, filters: &str| {
        vec![
            Item::text(title),
            Item::paise(now.taken).to(Period::payments(from, to, filters)),
            Item::paise(now.given_back),
            Item::paise(now.kept()),
            Item::paise(before.kept()),
            Item::change(now.kept(), before.kept()),
        ]
    };
    let titles = ["Taken", "Given back", "Kept", "Kept before", "Change in %"];
    Table {
        place: Place { path: "/admin/reports/revenue/", title: "Revenue by method" },
        key: "revenue",
        columns: [Title("Method", false)].into_iter().chain(titles.map(|title| Title(title, true))).collect(),
        rows: vec![
            row("Cash", days.now.cash, days.before.cash, "&method=cash"),
            row("Online", days.now.online, days.before.online, "&method=razorpay"),
            row("All", days.now.revenue(), days.before.revenue(), ""),
        ],
    }
}

fn hours(period: Period, hours: &[Hour]) -> Table {
    let row = |hour: &Hour| {
        let (place, filter) = match hour.pool {
            Pool::Shop => ("At the shop", "&place=shop"),
            Pool::Home => ("Home visits", "&place=home"),
        };
        vec![
            Item::text(place),
            Item::text(format!("{:02}:00–{:02}:00", hour.hour, hour.hour + 1)),
            Item::text(in_hours(hour.booked)).to(Period::bookings(period.from, period.to, filter)),
            Item::text(in_hours(hour.room)),
            Item::text(used(hour.booked, hour.room)),
            Item::text(used(hour.booked_before, hour.room_before)),
        ]
    };
    let titles = ["Booked hours", "Open hours", "Used in %", "Used before in %"];
    Table {
        place: Place { path: "/admin/reports/use/", title: "Use by hour" },
        key: "use",
        columns: [Title("Place", false), Title("Hour", false)]
            .into_iter()
            .chain(titles.map(|title| Title(title, true)))
            .collect(),
        rows: hours.iter().map(row).collect(),
    }
}

/// Quarters of an hour as hours: `12.25`.
fn in_hours(quarters: i64) -> String {
    format!("{}.{:02}", quarters / 4, quarters % 4 * 25)
}

fn used(booked: i64, room: i64) -> String {
    if room == 0 { "–".to_owned() } else { percent(booked, room).to_string() }
}

fn top(
    key: &'static str,
    place: Place,
    title: &'static str,
    filter: &str,
    (period, rows, is_admin): (Period, &[Top], bool),
) -> Table {
    let mut columns =
        vec![Title(title, false), Title("Finished jobs", true), Title("Before", true), Title("Change in %", true)];
    if is_admin {
        columns.push(Title("Price of the work", true));
    }
    let row = |top: &Top| {
        let address = Period::bookings(period.from, period.to, &format!("&status=completed&{filter}{}", top.id));
        let mut row = vec![
            Item::text(&top.name),
            Item::number(top.jobs).to(address),
            Item::number(top.jobs_before),
            Item::change(top.jobs, top.jobs_before),
        ];
        if is_admin {
            row.push(Item::paise(top.paise));
        }
        row
    };
    Table { place, key, columns, rows: rows.iter().map(row).collect() }
}
