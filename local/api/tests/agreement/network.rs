//! The network: only the API is public, and only functions reach the stores.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    read,
    template::{references, resources, template},
};

#[test]
fn only_functions_and_the_database_proxy_may_connect_to_the_stores() {
    for (name, rule) in resources("AWS::EC2::SecurityGroupIngress") {
        let (to, from) = (&rule["Properties"]["GroupId"], &rule["Properties"]["SourceSecurityGroupId"]);
        let is_from_proxy = rule["Condition"] == "ProxiesDatabase" && from == to;
        assert!(*from == json!({ "Ref": "FunctionGroup" }) || is_from_proxy, "{name}");
        assert_eq!(rule["Properties"].get("CidrIp"), None, "{name}");
    }
    for (name, group) in resources("AWS::EC2::SecurityGroup") {
        assert_eq!(group["Properties"].get("SecurityGroupIngress"), None, "{name}");
    }
    for (name, subnet) in resources("AWS::EC2::Subnet") {
        assert_eq!(subnet["Properties"].get("MapPublicIpOnLaunch"), None, "{name}");
    }
    let groups = &template()["Globals"]["Function"]["VpcConfig"]["SecurityGroupIds"];
    assert!(references(groups).contains("FunctionGroup"));
}

#[test]
fn functions_connect_only_to_https_and_the_stores_and_the_stores_to_nothing() {
    let groups = resources("AWS::EC2::SecurityGroup");
    let rules = |group: &str| groups[group]["Properties"]["SecurityGroupEgress"].as_array().unwrap().clone();
    let ports: Vec<Value> =
        rules("FunctionGroup").iter().map(|rule| json!([rule["FromPort"], rule["ToPort"]])).collect();
    assert_eq!(ports, [json!([443, 443])]);
    assert_eq!(rules("NatGroup").len(), 1);
    assert_eq!(rules("NatGroup")[0]["ToPort"], 443, "the NAT instance passes on what functions may send");
    for store in ["DatabaseGroup", "RedisGroup"] {
        let targets: Vec<Value> = rules(store).iter().map(|rule| rule["CidrIp"].clone()).collect();
        assert_eq!(targets, ["127.0.0.1/32"], "{store}");
    }
    let mut out: Vec<String> = Vec::new();
    for (name, rule) in resources("AWS::EC2::SecurityGroupEgress") {
        if rule["Properties"]["GroupId"] == json!({ "Ref": "FunctionGroup" }) {
            out.push(name);
        } else {
            assert_eq!(rule["Properties"]["GroupId"], rule["Properties"]["DestinationSecurityGroupId"], "{name}");
        }
    }
    assert_eq!(
        out,
        ["FunctionsToDatabase", "FunctionsToExistingDatabase", "FunctionsToExistingRedis", "FunctionsToRedis"]
    );
}

#[test]
fn stored_data_is_encrypted_and_backed_up_and_survives_the_stack() {
    let database = resources("AWS::RDS::DBInstance").remove("Database").unwrap();
    assert_eq!(
        (&database["DeletionPolicy"], &database["UpdateReplacePolicy"]),
        (&json!("Snapshot"), &json!("Snapshot"))
    );
    let settings = &database["Properties"];
    for (name, value) in [("StorageEncrypted", true), ("ManageMasterUserPassword", true), ("PubliclyAccessible", false)]
    {
        assert_eq!(settings[name], value, "{name}");
    }
    let copies = json!({ "Fn::If": ["CopiesBackups", { "Ref": "BackupRegion" }, { "Ref": "AWS::NoValue" }] });
    assert_eq!(
        (&settings["DeleteAutomatedBackups"], &settings["AutomaticBackupReplicationRegion"]),
        (&json!(false), &copies)
    );
    let template = template();
    assert_eq!(template["Parameters"]["DatabaseDeletionProtection"]["Default"], "true");
    assert_eq!(template["Parameters"]["DatabaseBackupDays"]["MinValue"], 1);
    assert_eq!(template["Resources"]["DatabaseSettings"]["Properties"]["Parameters"]["rds.force_ssl"], "1");
    let redis = &template["Resources"]["Redis"]["Properties"];
    assert_eq!(
        (&redis["TransitEncryptionMode"], &redis["AtRestEncryptionEnabled"]),
        (&json!("required"), &json!(true))
    );
    // Functions that read or change personal data keep their log for a year.
    let personal = [
        "AdminLogs",
        "AuthLogs",
        "BookingsLogs",
        "JobsLogs",
        "ManageLogs",
        "MessagesLogs",
        "MigrateLogs",
        "PaymentsLogs",
        "StaffLogs",
    ];
    for (name, group) in resources("AWS::Logs::LogGroup") {
        let days = if personal.contains(&name.as_str()) { "PersonalLogRetentionDays" } else { "LogRetentionDays" };
        assert_eq!(group["Properties"]["RetentionInDays"], json!({ "Ref": days }), "{name}");
    }
    assert_eq!(template["Parameters"]["PersonalLogRetentionDays"]["Default"], 365);
}

#[test]
fn a_new_network_has_one_way_out_and_the_migration_waits_for_it() {
    let template = template();
    let conditions = &template["Conditions"];
    for (condition, egress) in [("NatGateways", "NatGateway"), ("NatInstances", "NatInstance")] {
        let expected = json!([{ "Condition": "NewVpc" }, { "Fn::Equals": [{ "Ref": "Egress" }, egress] }]);
        assert_eq!(conditions[condition]["Fn::And"], expected);
    }
    let ways = &template["Resources"]["Migration"]["Properties"]["Ways"];
    let group = template["Resources"]["NatInstance"].clone();
    assert!(references(ways).is_superset(&["NatInstance", "PrivateRouteA", "PrivateRouteB"].map(String::from).into()));
    assert_eq!(group["CreationPolicy"]["ResourceSignal"]["Count"], 1, "it says when its routes are made");
    assert_eq!((&group["Properties"]["MinSize"], &group["Properties"]["DesiredCapacity"]), (&json!("1"), &json!("1")));
}

#[test]
fn postgres_has_a_connection_for_every_environment_that_may_run_at_once() {
    let template = template();
    let functions = u64::try_from(crate::template::functions().len()).unwrap();
    let classes = template["Mappings"]["DatabaseClasses"].as_object().unwrap();
    for (class, limits) in classes {
        let environments = limits["Environments"].as_u64().unwrap() * functions;
        assert!(environments <= limits["Connections"].as_u64().unwrap(), "{class}");
        assert!(environments <= 900, "{class}: an account has a thousand, of which a hundred are reserved for none");
    }
    let parameters = &template["Parameters"];
    assert_eq!(parameters["ReservedConcurrency"]["Default"], "fit");
    assert_eq!(parameters["ApiBurstLimit"]["Default"], "fit");
    let burst = &template["Resources"]["Api"]["Properties"]["DefaultRouteSettings"]["ThrottlingBurstLimit"]["Fn::If"];
    let connections = json!({ "Fn::FindInMap": ["DatabaseClasses", { "Ref": "DatabaseClass" }, "Connections"] });
    assert_eq!((&burst[0], &burst[1]), (&json!("FitsBurst"), &connections));
    let reserved = &template["Globals"]["Function"]["ReservedConcurrentExecutions"]["Fn::If"];
    let fitting = json!({ "Fn::FindInMap": ["DatabaseClasses", { "Ref": "DatabaseClass" }, "Environments"] });
    assert_eq!((&reserved[0], &reserved[1]), (&json!("FitsConnections"), &fitting));
}

#[test]
fn postgres_ends_statements_and_sessions_without_a_waiting_caller() {
    let template = template();
    let settings = &template["Resources"]["DatabaseSettings"]["Properties"]["Parameters"];
    let milliseconds = |name: &str| settings[name].as_str().unwrap().parse::<u64>().unwrap();
    // The owner and manual sessions; roles have shorter ones, which `migrate` sets.
    assert!((60_000..=600_000).contains(&milliseconds("statement_timeout")));
    assert!((100..=2_000).contains(&milliseconds("client_connection_check_interval")));
    assert!((600_000..=3_600_000).contains(&milliseconds("idle_session_timeout")));
}

#[test]
fn the_rds_certificates_cover_exactly_the_regions_that_the_template_accepts() {
    let template = template();
    let accepted = &template["Rules"]["NewDatabase"]["Assertions"][1]["Assert"]["Fn::Contains"][0];
    let accepted: BTreeSet<String> = serde_json::from_value(accepted.clone()).unwrap();
    let authorities = read("shared/src/database/rds.pem");
    let headings = authorities.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(": "));
    assert_eq!(accepted, headings.map(|(region, _)| region.to_owned()).collect());
    let url = &template["Globals"]["Function"]["Environment"]["Variables"]["DATABASE_URL"]["Fn::If"][1]["Fn::Sub"][0];
    assert_eq!(url, "postgresql://${Host}:5432/repairmybike?sslmode=verify-full");
}
