//! The environment of the functions.

use super::Shop;

/// A rate limit that is never reached.
const PLENTY: &str = "1000000000";

impl Shop {
    /// The environment of all functions; each reads its own variables. Rate limits and metrics are on, as on AWS; the
    /// limits are too high to be reached.
    pub fn environment(&self, size: u32) -> Vec<(String, String)> {
        let variables = [
            ("DATABASE_URL", self.database_url(size).to_string()),
            ("REDIS_URL", self.redis_url.to_string()),
            ("REDIS_KEY_PREFIX", format!("{}:", self.prefix)),
            ("BENCH_REDIS_KEY", self.key_of_bare_function()),
            ("METRICS_NAMESPACE", "RepairMyBike/bench".to_owned()),
            ("CORS_ALLOWED_ORIGINS", "http://localhost:3000".to_owned()),
            ("STAFF_API_KEYS", "bench:bench-staff-key".to_owned()),
            ("DESCOPE_PROJECT_ID", self.descope.project_id().to_owned()),
            ("DESCOPE_MANAGEMENT_KEY", self.descope.management_key().to_owned()),
            ("DESCOPE_BASE_URL", self.descope.url()),
            ("REFRESH_TOKEN_KEYS", "bench:bG9jYWwga2V5LCBvZiBubyB1c2UgZWxzZXdoZXJlLi4=".to_owned()),
            ("PASSWORD_RESET_URL", "http://localhost:3000/reset-password".to_owned()),
            ("RAZORPAY_ENABLED", "true".to_owned()),
            ("RAZORPAY_KEY_ID", razorpay_stand_in::KEY_ID.to_owned()),
            ("RAZORPAY_KEY_SECRET", razorpay_stand_in::KEY_SECRET.to_owned()),
            ("RAZORPAY_WEBHOOK_SECRET", razorpay_stand_in::WEBHOOK_SECRET.to_owned()),
            ("RAZORPAY_BASE_URL", self.razorpay.url()),
            ("WHATSAPP_PHONE_NUMBER_ID", messages_stand_in::PHONE_NUMBER_ID.to_owned()),
            ("WHATSAPP_TOKEN", messages_stand_in::TOKEN.to_owned()),
            ("WHATSAPP_APP_SECRET", messages_stand_in::APP_SECRET.to_owned()),
            ("WHATSAPP_VERIFY_TOKEN", messages_stand_in::VERIFY_TOKEN.to_owned()),
            ("WHATSAPP_OPT_IN", "booking".to_owned()),
            ("WHATSAPP_BASE_URL", self.messages.url()),
            ("MSG91_WEBHOOK_SECRET", messages_stand_in::REPORT_SECRET.to_owned()),
            ("SES_FROM", "RepairMyBike <bookings@example.com>".to_owned()),
            ("SES_BASE_URL", self.messages.url()),
            ("MESSAGES_STAFF", "owner@example.com".to_owned()),
            ("AWS_REGION", "ap-south-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("MANAGE_URL", "http://localhost:3000/b/{token}/".to_owned()),
            ("THROTTLE_UNPROVED_PER_PHONE", "off".to_owned()),
            ("THROTTLE_UNPROVED_PER_IP", "off".to_owned()),
            ("THROTTLE_UNPROVED_KEEP_ONE_IN", "off".to_owned()),
            ("THROTTLE_UNPROVED_MINUTES", "off".to_owned()),
        ];
        let limits = [
            "PUBLIC_READS",
            "BOOKINGS_PER_IP",
            "BOOKINGS_PER_PHONE",
            "LOOKUPS",
            "OTP_BUDGET",
            "OTP_AT_ONCE",
            "OTP_PER_IDENTIFIER",
            "OTP_PER_IP",
            "TRIES_PER_IDENTIFIER",
            "TRIES_PER_IP",
            "WRONG_STAFF_KEYS",
            "JUNK_TOKENS",
            "ORDERS_PER_IP",
        ];
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        let limits = limits.map(|limit| (format!("THROTTLE_{limit}"), PLENTY.to_owned()));
        variables.into_iter().map(named).chain(limits).collect()
    }
}
