//! The template's parameters: each is explained, in one group, and reaches the resources that it is about.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{functions, parameters_of, references, resources, template};

fn parameters() -> Vec<(String, Value)> {
    template()["Parameters"].as_object().unwrap().clone().into_iter().collect()
}

#[test]
fn each_parameter_is_explained_in_one_group_and_used() {
    let template = template();
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap().clone();
    let mut shown: Vec<String> = groups
        .iter()
        .flat_map(|group| serde_json::from_value::<Vec<String>>(group["Parameters"].clone()).unwrap())
        .collect();
    shown.sort();
    let names: Vec<String> = parameters().into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, names);
    let used: BTreeSet<String> = ["Resources", "Conditions", "Globals", "Rules", "Outputs"]
        .iter()
        .flat_map(|section| references(&template[*section]))
        .collect();
    for (name, parameter) in parameters() {
        let description = parameter["Description"].as_str().unwrap();
        assert!(description.len() > 15 && !description.ends_with('.'), "{name}");
        let is_explained =
            parameter.get("AllowedPattern").is_none() || parameter.get("ConstraintDescription").is_some();
        assert!(is_explained, "{name} does not say what its pattern wants");
        assert!(used.contains(&name), "{name} is asked for nothing");
    }
}

#[test]
fn only_parameters_that_every_deployer_must_choose_have_no_default() {
    let asked: Vec<String> = parameters()
        .into_iter()
        .filter(|(_, parameter)| parameter.get("Default").is_none())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(asked, ["CorsAllowedOrigins", "DescopeManagementKey", "DescopeProjectId", "RefreshTokenKeys"]);
}

#[test]
fn a_changed_setting_publishes_new_versions_of_the_functions() {
    let migration = resources("Custom::Migration").remove("Migration").unwrap();
    let known = parameters_of(&migration["Properties"]);
    // Both belong to the alias, not to the version.
    let of_version = |mut properties: Value| {
        for of_alias in ["ProvisionedConcurrencyConfig", "DeploymentPreference"] {
            properties.as_object_mut().unwrap().remove(of_alias);
        }
        properties
    };
    let mut reaching = parameters_of(&of_version(template()["Globals"]["Function"].clone()));
    for (binary, function) in functions() {
        let properties = of_version(function.properties.clone());
        reaching.extend(parameters_of(&properties));
        if binary != "migrate" {
            assert_eq!(properties["VersionDescription"]["Fn::GetAtt"], "Migration.Revision", "{binary}");
            let description = properties["Description"]["Fn::Sub"].as_str().unwrap();
            assert!(description.ends_with("(${Migration.Revision})"), "{binary}: it must wait for the migration");
        }
    }
    // The migration must know every parameter that reaches a function: its revision is what makes new versions.
    assert_eq!(reaching.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn migrations_run_with_new_code_before_any_other_function_changes() {
    let migration = resources("Custom::Migration").remove("Migration").unwrap();
    let properties = &migration["Properties"];
    assert_eq!(properties["ServiceToken"]["Fn::GetAtt"], "Migrate.Arn");
    assert_eq!(properties["CodeVersion"]["Ref"], "Migrate.Version");
    assert!(properties["ServiceTimeout"].as_u64() > functions()["migrate"].properties["Timeout"].as_u64());
    let named = references(&functions()["migrate"].properties);
    assert!(!named.contains("Migration"), "it would wait for itself");
}
