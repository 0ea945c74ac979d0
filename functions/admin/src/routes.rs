//! The table of all pages and acts, and who may use them.

use axum::{extract::DefaultBodyLimit, middleware, response::IntoResponse};
use shared::{Error, http::Routes};
use tower_http::csrf::CsrfLayer;

use crate::catalogue::{
    service_categories::ServiceCategories, services::Services, vehicle_brands::VehicleBrands,
    vehicle_models::VehicleModels, vehicle_types::VehicleTypes,
};
use crate::{
    Access, App, BODY_LIMIT,
    access::{Gate, check, refuse_silent},
    activity, assets, bookings, cash, catalogue, customers, entry, language, messages, payments, prices, reports,
    search, shop, staff_keys, system, today, users,
};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub access: Access,
    /// In lower case.
    pub method: &'static str,
    /// As routes have it, without a final slash.
    pub path: &'static str,
}

macro_rules! table {
    ($($access:ident $method:ident $path:literal $handler:expr;)*) => {
        /// Every route of the panel.
        pub const ROUTES: &[Route] = &[
            $(Route { access: Access::$access, method: stringify!($method), path: $path },)*
        ];

        #[expect(clippy::disallowed_methods, reason = "pages are no part of the API document")]
        fn guarded(app: &App) -> Routes<App> {
            let guard = |access| middleware::from_fn_with_state(Gate { app: app.clone(), access }, check);
            Routes::new()$(.merge(Routes::new().$method($path, $handler).layer(&guard(Access::$access))))*
        }
    };
}

table! {
    Anyone      get  "/admin/assets/{name}"                 assets::show;
    Anyone      get  "/admin/sign-in"                       entry::sign_in::page;
    Anyone      post "/admin/sign-in"                       entry::sign_in::sign_in;
    Anyone      get  "/admin/sign-in/code"                  entry::code::page;
    Anyone      post "/admin/sign-in/code"                  entry::code::send;
    Anyone      post "/admin/sign-in/code/check"            entry::code::check;
    Anyone      get  "/admin/password"                      entry::password::page;
    Anyone      post "/admin/password"                      entry::password::set;
    Anyone      post "/admin/password/mail"                 entry::password::mail;
    Anyone      post "/admin/sign-out"                      entry::sign_out::one;
    Staff       post "/admin/sign-out/everywhere"           entry::sign_out::everywhere;

    Staff       post "/admin/language"                      language::choose;

    Staff       get  "/admin"                               today::show;

    Staff       get  "/admin/bookings"                      bookings::list;
    Admin       get  "/admin/bookings.csv"                  bookings::file;
    Staff       post "/admin/bookings/bulk"                 bookings::bulk_confirm;
    Staff       post "/admin/bookings/bulk/act"             bookings::bulk_act;
    Staff       get  "/admin/bookings/new"                  bookings::walk_in;
    Staff       post "/admin/bookings/new"                  bookings::book;
    Staff       get  "/admin/bookings/{id}"                 bookings::show;
    Staff       post "/admin/bookings/{id}/status"          bookings::set_status;
    Staff       post "/admin/bookings/{id}/no-show"         bookings::say_no_show;
    Staff       get  "/admin/bookings/{id}/move"            bookings::move_page;
    Staff       post "/admin/bookings/{id}/move"            bookings::move_to;
    Staff       post "/admin/bookings/{id}/services"        bookings::change_services;
    Staff       post "/admin/bookings/{id}/notes"           bookings::save_notes;
    Staff       post "/admin/bookings/{id}/cash"            bookings::record_cash;
    Staff       post "/admin/bookings/{id}/links"           bookings::make_link;
    Staff       post "/admin/bookings/{id}/links/revoke"    bookings::revoke_links;
    Staff       post "/admin/bookings/{id}/messages"        bookings::act_on_message;
    Staff       get  "/admin/bookings/{id}/print/job-card"  bookings::job_card;
    Staff       get  "/admin/bookings/{id}/print/receipt"   bookings::receipt;
    Staff       get  "/admin/bookings/{id}/print/roll"      bookings::roll;
    Staff       get  "/admin/bookings/{id}/print/tag"       bookings::tag;

    Staff       get  "/admin/payments"                       payments::list;
    Admin       get  "/admin/payments.csv"                   payments::file;
    Admin       get  "/admin/payments/settle"                payments::settle_page;
    ProvedAdmin post "/admin/payments/settle/again"          payments::again;
    ProvedAdmin post "/admin/payments/settle/by-hand"        payments::by_hand;
    Admin       post "/admin/payments/settle/accept"         payments::accept;
    Staff       get  "/admin/payments/{id}"                  payments::show;
    Admin       post "/admin/payments/{id}/ask"              payments::ask_now;
    Admin       get  "/admin/bookings/{id}/refund"           payments::refund_page;
    ProvedAdmin post "/admin/bookings/{id}/refund"           payments::give_back;

    Staff       get  "/admin/messages"                       messages::list;
    Admin       get  "/admin/messages.csv"                   messages::file;

    Staff       get  "/admin/cash"                           cash::show;
    Admin       post "/admin/cash"                           cash::close;
    Staff       get  "/admin/cash/days"                      cash::list;
    Admin       get  "/admin/cash/days.csv"                  cash::file;

    Staff       get  "/admin/prices"                         prices::show;
    Admin       post "/admin/prices"                         prices::save;
    Staff       get  "/admin/prices.csv"                     prices::download;
    Staff       get  "/admin/prices/list"                   prices::list;
    Staff       get  "/admin/prices/list.csv"               prices::list_file;
    Admin       get  "/admin/prices/percent"                 prices::percent_page;
    Admin       post "/admin/prices/percent"                 prices::confirm_percent;
    Admin       get  "/admin/prices/file"                    prices::file_page;
    Admin       post "/admin/prices/file"                    prices::upload;
    Admin       post "/admin/prices/file/confirm"            prices::confirm_file;

    Staff       get  "/admin/vehicle-types"                  catalogue::list::<VehicleTypes>;
    Staff       get  "/admin/vehicle-types.csv"              catalogue::file::<VehicleTypes>;
    Admin       get  "/admin/vehicle-types/new"              catalogue::new::<VehicleTypes>;
    Admin       post "/admin/vehicle-types/new"              catalogue::create::<VehicleTypes>;
    Staff       get  "/admin/vehicle-types/{id}"             catalogue::edit::<VehicleTypes>;
    Admin       post "/admin/vehicle-types/{id}"             catalogue::change::<VehicleTypes>;
    Admin       get  "/admin/vehicle-types/{id}/archive"     catalogue::archive_page::<VehicleTypes>;
    Admin       post "/admin/vehicle-types/{id}/archive"     catalogue::archive::<VehicleTypes>;
    Admin       post "/admin/vehicle-types/{id}/restore"     catalogue::restore::<VehicleTypes>;
    Staff       get  "/admin/vehicle-types/{id}/history"     activity::of_record;

    Staff       get  "/admin/vehicle-brands"                 catalogue::list::<VehicleBrands>;
    Staff       get  "/admin/vehicle-brands.csv"             catalogue::file::<VehicleBrands>;
    Admin       get  "/admin/vehicle-brands/new"             catalogue::new::<VehicleBrands>;
    Admin       post "/admin/vehicle-brands/new"             catalogue::create::<VehicleBrands>;
    Staff       get  "/admin/vehicle-brands/{id}"            catalogue::edit::<VehicleBrands>;
    Admin       post "/admin/vehicle-brands/{id}"            catalogue::change::<VehicleBrands>;
    Admin       get  "/admin/vehicle-brands/{id}/archive"    catalogue::archive_page::<VehicleBrands>;
    Admin       post "/admin/vehicle-brands/{id}/archive"    catalogue::archive::<VehicleBrands>;
    Admin       post "/admin/vehicle-brands/{id}/restore"    catalogue::restore::<VehicleBrands>;
    Staff       get  "/admin/vehicle-brands/{id}/history"    activity::of_record;

    Staff       get  "/admin/vehicle-models"                 catalogue::list::<VehicleModels>;
    Staff       get  "/admin/vehicle-models.csv"             catalogue::file::<VehicleModels>;
    Admin       get  "/admin/vehicle-models/new"             catalogue::new::<VehicleModels>;
    Admin       post "/admin/vehicle-models/new"             catalogue::create::<VehicleModels>;
    Staff       get  "/admin/vehicle-models/{id}"            catalogue::edit::<VehicleModels>;
    Admin       post "/admin/vehicle-models/{id}"            catalogue::change::<VehicleModels>;
    Admin       get  "/admin/vehicle-models/{id}/archive"    catalogue::archive_page::<VehicleModels>;
    Admin       post "/admin/vehicle-models/{id}/archive"    catalogue::archive::<VehicleModels>;
    Admin       post "/admin/vehicle-models/{id}/restore"    catalogue::restore::<VehicleModels>;
    Staff       get  "/admin/vehicle-models/{id}/history"    activity::of_record;

    Staff       get  "/admin/service-categories"             catalogue::list::<ServiceCategories>;
    Staff       get  "/admin/service-categories.csv"         catalogue::file::<ServiceCategories>;
    Admin       get  "/admin/service-categories/new"         catalogue::new::<ServiceCategories>;
    Admin       post "/admin/service-categories/new"         catalogue::create::<ServiceCategories>;
    Staff       get  "/admin/service-categories/{id}"        catalogue::edit::<ServiceCategories>;
    Admin       post "/admin/service-categories/{id}"        catalogue::change::<ServiceCategories>;
    Admin       get  "/admin/service-categories/{id}/archive" catalogue::archive_page::<ServiceCategories>;
    Admin       post "/admin/service-categories/{id}/archive" catalogue::archive::<ServiceCategories>;
    Admin       post "/admin/service-categories/{id}/restore" catalogue::restore::<ServiceCategories>;
    Staff       get  "/admin/service-categories/{id}/history" activity::of_record;

    Staff       get  "/admin/services"                       catalogue::list::<Services>;
    Staff       get  "/admin/services.csv"                   catalogue::file::<Services>;
    Admin       get  "/admin/services/new"                   catalogue::new::<Services>;
    Admin       post "/admin/services/new"                   catalogue::create::<Services>;
    Staff       get  "/admin/services/{id}"                  catalogue::edit::<Services>;
    Admin       post "/admin/services/{id}"                  catalogue::change::<Services>;
    Admin       get  "/admin/services/{id}/archive"          catalogue::archive_page::<Services>;
    Admin       post "/admin/services/{id}/archive"          catalogue::archive::<Services>;
    Admin       post "/admin/services/{id}/restore"          catalogue::restore::<Services>;
    Staff       get  "/admin/services/{id}/history"          activity::of_record;

    Staff       get  "/admin/search"                        search::show;
    Staff       get  "/admin/search/suggestions"            search::suggest;

    Staff       get  "/admin/customers"                     customers::list;
    Admin       get  "/admin/customers.csv"                 customers::file;
    Staff       get  "/admin/customers/{id}"                customers::show;
    Staff       post "/admin/customers/{id}/notes"          customers::rewrite_notes;
    ProvedAdmin post "/admin/customers/{id}/export"         customers::export;
    ProvedAdmin get  "/admin/customers/{id}/erase"          customers::erase_page;
    ProvedAdmin post "/admin/customers/{id}/erase"          customers::erase;
    Staff       get  "/admin/customers/{id}/history"        activity::of_record;

    Staff       get  "/admin/reports"                       reports::show;
    Staff       get  "/admin/reports.csv"                   reports::file;

    Staff       get  "/admin/shop"                          shop::details::page;
    Admin       post "/admin/shop"                          shop::details::change;
    Staff       get  "/admin/shop/hours"                    shop::hours::page;
    Admin       post "/admin/shop/hours"                    shop::hours::change;
    Staff       get  "/admin/shop/holidays"                 shop::holidays::page;
    Admin       post "/admin/shop/holidays"                 shop::holidays::add;
    Admin       post "/admin/shop/holidays/remove"          shop::holidays::remove;
    Staff       get  "/admin/shop/messages"                 shop::messages::page;
    Admin       post "/admin/shop/messages"                 shop::messages::change;

    Admin       get  "/admin/users"                         users::list;
    Admin       get  "/admin/users.csv"                     users::file;
    Admin       get  "/admin/users/{id}"                    users::show;
    Admin       get  "/admin/users/{id}/history"            activity::of_record;
    ProvedAdmin post "/admin/users/{id}/give-role"          users::give_role;
    ProvedAdmin post "/admin/users/{id}/take-role"          users::take_role;
    Admin       post "/admin/users/{id}/block"              users::block;
    Admin       post "/admin/users/{id}/unblock"            users::unblock;
    Admin       post "/admin/users/{id}/end-sessions"       users::end_sessions;
    Admin       post "/admin/users/{id}/end-session"        users::end_session;
    Admin       get  "/admin/sessions"                      users::sessions;
    Admin       get  "/admin/sessions.csv"                  users::sessions_file;
    Admin       get  "/admin/activity"                      activity::list;
    Admin       get  "/admin/staff-keys"                    staff_keys::list;
    ProvedAdmin post "/admin/staff-keys"                    staff_keys::make;
    ProvedAdmin post "/admin/staff-keys/{id}/end"           staff_keys::end;
    Admin       get  "/admin/system"                        system::show;
    Admin       post "/admin/system/messages/{id}/retry"    system::retry;
}

/// All routes behind the checks of where a request comes from.
pub(crate) fn router(app: App) -> Routes {
    let csrf = CsrfLayer::new().with_rejection_response(|_| Error::PermissionDenied.into_response());
    guarded(&app)
        .with_state(app)
        .layer(&DefaultBodyLimit::max(BODY_LIMIT))
        .layer(&csrf)
        .layer(&middleware::from_fn(refuse_silent))
}
