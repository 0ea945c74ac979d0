//! Settings: code, docs/configuration.md and template name the same ones, and each function gets those that it reads.

use std::{collections::BTreeSet, fs};

use regex::Regex;
use serde_json::Value;
use shared::config;

use crate::{
    files, read, root,
    template::{functions, references, resources, template},
};

/// Settings for local use, for tests and for the runtime, which the template does not set.
const NOT_DEPLOYED: &[&str] = &[
    "APPLICATION_LOGIN",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "EXAMPLE_URL",
    "MSG91_BASE_URL",
    "ORIGIN_SECRET",
    "RAZORPAY_BASE_URL",
    "READERS_LOGIN",
    "REDIS_KEY_PREFIX",
    "RUST_LOG",
    "SES_BASE_URL",
    "WHATSAPP_BASE_URL",
];

/// Settings that a part of `shared` reads: a pattern for its use in a function's source, and their names.
const BY_USE: &[(&str, &[&str])] = &[
    (r"\bDatabase\b", &["DATABASE_URL", "DATABASE_SECRET_ID", "METRICS_NAMESPACE", "ROUTE_METRICS"]),
    (r"\b(Redis|Cache)\b", &["REDIS_URL", "REDIS_SECRET_ID"]),
    (r"\bEdge::from_env\b", &["CORS_ALLOWED_ORIGINS"]),
    (
        r"\bDescope\b",
        &["DESCOPE_PROJECT_ID", "DESCOPE_MANAGEMENT_KEY", "DESCOPE_AUTH_MANAGEMENT_KEY", "DESCOPE_BASE_URL"],
    ),
    (r"\bStaffKeys\b", &["STAFF_API_KEYS"]),
    (r"\bRazorpay::", &["RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET"]),
    (
        r"\bCarriers::from_settings\b",
        &[
            "MSG91_AUTH_KEY",
            "MSG91_TEMPLATES",
            "SES_CONFIGURATION_SET",
            "SES_FROM",
            "SES_REPLY_TO",
            "WHATSAPP_API_VERSION",
            "WHATSAPP_PHONE_NUMBER_ID",
            "WHATSAPP_TOKEN",
        ],
    ),
    (
        r"\bPlan::from_env\b",
        &["MANAGE_URL", "MESSAGES_LANGUAGE", "MESSAGES_STAFF", "REMINDER_HOURS", "WHATSAPP_OPT_IN"],
    ),
    (r"\bWhatsAppSecrets::from_settings\b", &["WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"]),
    (r"\bReportSecret::from_settings\b", &["MSG91_WEBHOOK_SECRET"]),
    (r"\bWebhookSecrets\b", &["RAZORPAY_WEBHOOK_SECRET", "RAZORPAY_WEBHOOK_SECRET_PREVIOUS"]),
    (r"\bCutoff\b", &["BOOKING_CHANGE_CUTOFF_MINUTES"]),
    (r"\bSeals\b", &["REFRESH_TOKEN_KEYS"]),
    (r"\bManagePage\b", &["MANAGE_URL"]),
    (r"\bPersonnel\b", &["PASSWORD_RESET_URL"]),
    (r"\bMessages::from_env\b", &["PASSWORD_RESET_URL", "OTP_LIFETIME_SECONDS", "OTP_COUNTRIES"]),
    (r"\bEdge\b", &["ORIGIN_SECRET_ID"]),
    (r"\bRoles::from_settings\b", &["APPLICATION_SECRET_ID", "READERS_SECRET_ID"]),
];

fn names() -> BTreeSet<String> {
    config::ALL.iter().map(|variable| variable.name().to_owned()).collect()
}

/// The keys of a function's secret.
fn secret_keys(function: &str) -> BTreeSet<String> {
    let Some(secret) = resources("AWS::SecretsManager::Secret").remove(&format!("{function}Secret")) else {
        return BTreeSet::new();
    };
    let text = secret["Properties"]["SecretString"]["Fn::Sub"].as_str().unwrap().to_owned();
    let values: Value = serde_json::from_str(&text).unwrap();
    values.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn each_folder_of_functions_is_a_function_of_the_template() {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    let folders: BTreeSet<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(functions().into_keys().collect::<BTreeSet<_>>(), folders);
}

#[test]
fn docs_and_env_example_list_exactly_the_existing_variables() {
    let page = read("docs/configuration.md");
    let row = Regex::new(r"(?m)^\| `([A-Z0-9_]+)` \|").unwrap();
    let explained: BTreeSet<String> = row.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    assert_eq!(explained, names());

    let example = read(".env.example");
    let line = Regex::new(r"(?m)^([A-Z0-9_]+)=").unwrap();
    let shown: BTreeSet<String> = line.captures_iter(&example).map(|found| found[1].to_owned()).collect();
    // Only Lambda sets the initialization type, region and credentials; of the two log levels one is enough.
    let hidden = [
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "RUST_LOG",
    ];
    let hidden = BTreeSet::from(hidden.map(ToOwned::to_owned));
    assert_eq!(shown, &names() - &hidden);
}

#[test]
fn each_function_gets_the_settings_that_it_reads_and_no_others() {
    let mentioned = Regex::new(r"\bconfig::([A-Z][A-Z_]+)\b").unwrap();
    let mut set_somewhere = BTreeSet::new();
    for (binary, function) in functions() {
        let source: String = files(&format!("functions/{binary}/src")).into_iter().map(|(_, text)| text).collect();
        let mut needed: BTreeSet<String> = mentioned
            .captures_iter(&source)
            .map(|found| found[1].to_owned())
            .filter(|name| names().contains(name))
            .collect();
        for (word, settings) in BY_USE {
            if Regex::new(word).unwrap().is_match(&source) {
                needed.extend(settings.iter().map(|name| (*name).to_owned()));
            }
        }
        needed.retain(|name| !name.starts_with("THROTTLE") && !NOT_DEPLOYED.contains(&name.as_str()));
        let secret = secret_keys(&function.name);
        if !secret.is_empty() {
            needed.insert("SECRET_ID".to_owned());
        }
        let plain: BTreeSet<String> = function.environment.keys().cloned().collect();
        assert_eq!(plain.intersection(&secret).count(), 0, "{binary}: the environment would hide the secret");
        let given: BTreeSet<String> = plain.union(&secret).cloned().collect();
        assert_eq!(given, needed, "{binary}");
        set_somewhere.extend(given);
    }
    let unset: BTreeSet<String> = names().difference(&set_somewhere).cloned().collect();
    let expected =
        names().into_iter().filter(|name| name.starts_with("THROTTLE") || NOT_DEPLOYED.contains(&name.as_str()));
    assert_eq!(unset, expected.collect());
    assert_eq!(set_somewhere.difference(&names()).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn secret_parameters_are_used_only_in_secrets() {
    let template = template();
    let parameters = template["Parameters"].as_object().unwrap();
    let hidden = parameters.iter().filter(|(_, parameter)| parameter["NoEcho"] == true).map(|(name, _)| name);
    let hidden: BTreeSet<&String> = hidden.collect();
    assert!(hidden.len() > 5);
    for (name, resource) in template["Resources"].as_object().unwrap() {
        let used = references(resource);
        let told: Vec<_> = hidden.iter().filter(|parameter| used.contains(parameter.as_str())).collect();
        let is_secret = resource["Type"] == "AWS::SecretsManager::Secret";
        assert!(told.is_empty() || is_secret, "{name} shows {told:?}");
    }
    for output in template["Outputs"].as_object().unwrap().values() {
        assert!(references(output).iter().all(|name| !hidden.contains(name)));
    }
}
