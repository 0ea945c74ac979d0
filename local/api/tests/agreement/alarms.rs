//! Every alarm links to its section of docs/operations.md and watches a metric that the code writes.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Value, json};
use shared::metrics::{Count, Level, OF_REQUESTS};

use crate::{
    files, read,
    template::{functions, resources, template},
};

const OWN: &str = "RepairMyBike/${AWS::StackName}";

/// The anchor of a heading, which a link names after `#`.
fn slug(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || ['-', ' '].contains(letter);
    heading.to_lowercase().chars().filter(kept).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_alarm_has_a_section_in_the_docs_and_every_section_an_alarm() {
    let link = Regex::new(r"^[A-Z].+ - docs/operations\.md#([a-z0-9-]+)$").unwrap();
    let mut named = BTreeSet::new();
    for (name, alarm) in resources("AWS::CloudWatch::Alarm") {
        let description = alarm["Properties"]["AlarmDescription"].as_str().unwrap();
        let section = &link.captures(description).unwrap_or_else(|| panic!("{name}: {description}"))[1];
        named.insert(section.to_owned());
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm["Properties"][actions]["Fn::If"][1][0]["Ref"], "AlarmTopic", "{name}");
        }
    }
    let text = read("docs/operations.md");
    let chapter = text.split("\n## ").find(|chapter| chapter.starts_with("Alarms\n")).unwrap();
    let headings = chapter.lines().filter_map(|line| line.strip_prefix("### "));
    assert_eq!(headings.map(slug).collect::<BTreeSet<_>>(), named);
}

/// The metrics of a value that are in our namespace.
fn own_metrics(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) if fields.get("Namespace").is_some_and(|name| name["Fn::Sub"] == OWN) => {
            assert_eq!(fields.get("Dimensions"), None);
            vec![fields["MetricName"].as_str().unwrap().to_owned()]
        }
        Value::Object(fields) => fields.values().flat_map(own_metrics).collect(),
        Value::Array(items) => items.iter().flat_map(own_metrics).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn alarms_and_dashboard_use_only_metrics_that_the_code_writes() {
    let mut watched = BTreeSet::new();
    for alarm in resources("AWS::CloudWatch::Alarm").values() {
        watched.extend(own_metrics(alarm));
    }
    assert!(watched.len() > 5);
    let body = &template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0];
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            if metric[0] == OWN {
                watched.insert(metric[1].as_str().unwrap().to_owned());
            }
        }
    }
    let counts = Count::ALL.iter().map(|count| count.name());
    let levels = Level::ALL.iter().map(|level| level.name());
    let known: BTreeSet<String> = counts.chain(levels).chain(OF_REQUESTS).map(ToOwned::to_owned).collect();
    assert_eq!(watched.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    let namespace = &template()["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"];
    assert_eq!(namespace["Fn::Sub"], OWN);
}

#[test]
fn a_test_makes_each_metric_happen_that_an_alarm_watches() {
    let tests: String = functions()
        .keys()
        .flat_map(|binary| files(&format!("functions/{binary}/tests")))
        .map(|(_, text)| text)
        .collect();
    for alarm in resources("AWS::CloudWatch::Alarm").values() {
        for metric in own_metrics(alarm) {
            let is_seen =
                [format!("Count::{metric}"), format!("Level::{metric}")].iter().any(|name| tests.contains(name));
            assert!(is_seen, "no test counts {metric}");
        }
    }
}

#[test]
fn throttling_is_watched_for_every_function() {
    let alarm = resources("AWS::CloudWatch::Alarm").remove("ThrottledAlarm").unwrap();
    let properties = &alarm["Properties"];
    assert_eq!((&properties["Namespace"], &properties["MetricName"]), (&json!("AWS/Lambda"), &json!("Throttles")));
    // A dimension would leave out the functions that it does not name.
    assert_eq!(properties.get("Dimensions"), None);
}

#[test]
fn a_rollout_is_ended_by_alarms_about_failures_and_latency_that_exist() {
    let template = template();
    let rollout = &template["Globals"]["Function"]["DeploymentPreference"];
    assert_eq!(rollout["Type"]["Ref"], "Rollout");
    let alarms = resources("AWS::CloudWatch::Alarm");
    let named = ["FailuresAlarm", "LatencyAlarm"].map(|name| alarms[name]["Properties"]["AlarmName"].clone());
    assert_eq!(rollout["Alarms"], json!(named));
    // CloudFormation calls the new version of migrate, and must not call the former one.
    assert_eq!(template["Resources"]["Migrate"]["Properties"]["DeploymentPreference"], json!({ "Enabled": false }));
}
