//! Roles: a function may use its own log, its own secret, and the credentials of the stores that it uses, and no more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{functions, resources};

/// The policy for the credentials of a function's role in Postgres: the least that it needs.
fn database_policy(binary: &str) -> &'static str {
    match binary {
        "migrate" => "OwnerSecretPolicy",
        "vehicles" | "services" | "shop" | "status" => "ReadersSecretPolicy",
        _ => "ApplicationSecretPolicy",
    }
}

/// Mail may be sent from the shop's own identity, with the configuration set whose events come back.
fn mail() -> Value {
    let ses = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}";
    let resources = ["identity/${MailIdentity}", "configuration-set/${MailConfiguration}"];
    let resources = resources.map(|resource| json!({ "Fn::Sub": format!("{ses}:{resource}") }));
    let statement = json!({ "Effect": "Allow", "Action": "ses:SendEmail", "Resource": resources });
    json!({ "PolicyName": "mail", "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } })
}

#[test]
fn each_role_allows_only_what_its_function_s_settings_need() {
    let mut roles = resources("AWS::IAM::Role");
    for (binary, function) in functions() {
        let name = &function.name;
        assert_eq!(function.properties["Role"], json!({ "Fn::GetAtt": format!("{name}Role.Arn") }));
        assert_eq!(function.properties["LoggingConfig"]["LogGroup"], json!({ "Ref": format!("{name}Logs") }));
        let mut policies = vec![json!({ "Ref": "FunctionPolicy" })];
        if function.environment.contains_key("DATABASE_SECRET_ID") {
            policies.push(json!({ "Ref": database_policy(&binary) }));
        }
        if function.environment.contains_key("REDIS_SECRET_ID") {
            let attached = json!([ "RedisHasPassword", { "Ref": "RedisSecretPolicy" }, { "Ref": "AWS::NoValue" }]);
            policies.push(json!({ "Fn::If": attached }));
        }
        if function.environment.contains_key("ORIGIN_SECRET_ID") {
            let attached = json!([ "BehindCloudFront", { "Ref": "OriginSecretPolicy" }, { "Ref": "AWS::NoValue" }]);
            policies.push(json!({ "Fn::If": attached }));
        }
        let mut statements = vec![json!({
            "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": { "Fn::GetAtt": format!("{name}Logs.Arn") }
        })];
        if let Some(secret) = function.environment.get("SECRET_ID") {
            assert_eq!(*secret, json!({ "Ref": format!("{name}Secret") }), "{binary} reads the secret of another");
            statements
                .push(json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret }));
        }
        let lambda = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
        let mut own = vec![
            json!({ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } }),
        ];
        if function.environment.contains_key("SES_FROM") {
            own.push(json!({ "Fn::If": ["SendsMail", mail(), { "Ref": "AWS::NoValue" }] }));
        }
        let expected = json!({
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [lambda] },
            "ManagedPolicyArns": policies,
            "Policies": own
        });
        assert_eq!(roles.remove(&format!("{name}Role")).unwrap()["Properties"], expected, "{binary}");
    }
    assert_eq!(roles.into_keys().collect::<Vec<_>>(), ["NatRole", "ProxyRole"]);
}

#[test]
fn functions_may_read_only_the_credentials_that_their_environment_names() {
    let policies = resources("AWS::IAM::ManagedPolicy");
    let readable = |policy: &str| -> Value {
        let document = &policies[policy]["Properties"]["PolicyDocument"];
        let statements = document["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Action"], "secretsmanager:GetSecretValue");
        statements[0]["Resource"].clone()
    };
    for (binary, function) in functions() {
        let (secret, allowed) = (&function.environment["DATABASE_SECRET_ID"], readable(database_policy(&binary)));
        if binary == "migrate" {
            let login = |name: &str| json!({ "Fn::If": ["HasRoles", { "Ref": name }, { "Ref": "AWS::NoValue" }] });
            assert_eq!(allowed, json!([secret, login("ApplicationLogin"), login("ReadersLogin")]));
        } else {
            assert_eq!(*secret, allowed, "{binary}");
        }
        if let Some(secret) = function.environment.get("REDIS_SECRET_ID") {
            assert_eq!(*secret, readable("RedisSecretPolicy"), "{binary}");
        }
        if let Some(secret) = function.environment.get("ORIGIN_SECRET_ID") {
            let named = json!({ "Fn::If": ["BehindCloudFront", readable("OriginSecretPolicy"), ""] });
            assert_eq!(*secret, named, "{binary}");
        }
    }
}

/// All policy statements in a value, including conditional ones.
fn statements(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) if fields.contains_key("Effect") => vec![value.clone()],
        Value::Object(fields) => fields.values().flat_map(statements).collect(),
        Value::Array(items) => items.iter().flat_map(statements).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn policies_name_every_action_and_every_resource_that_aws_lets_them_name() {
    let mut unnamed = BTreeSet::new();
    for (name, resource) in resources("AWS::") {
        for statement in statements(&resource["Properties"]) {
            let actions = match &statement["Action"] {
                Value::String(action) => vec![action.clone()],
                actions => serde_json::from_value(actions.clone()).unwrap(),
            };
            for action in actions {
                assert!(!action.contains('*') && action.contains(':'), "{name} allows {action}");
            }
            if statement["Resource"] == "*" {
                unnamed.insert(format!("{name} {}", statement["Sid"].as_str().unwrap_or_default()));
            }
        }
    }
    // Network interfaces do not exist before Lambda makes them, and code is denied the same; a list names no resource.
    let expected = ["FunctionPolicy Network", "FunctionPolicy NetworkNotByCode", "NatRole Routes"];
    assert_eq!(unnamed.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn function_code_is_denied_the_network_actions_that_lambda_needs() {
    let policy = resources("AWS::IAM::ManagedPolicy").remove("FunctionPolicy").unwrap();
    let statements = policy["Properties"]["PolicyDocument"]["Statement"].clone();
    assert_eq!(statements[0]["Action"], statements[1]["Action"]);
    assert_eq!((&statements[0]["Effect"], &statements[1]["Effect"]), (&json!("Allow"), &json!("Deny")));
    let code = &statements[1]["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]["Fn::Sub"];
    assert!(code.as_str().unwrap().ends_with(":function:${AWS::StackName}-*"));
    for (binary, function) in functions() {
        assert_eq!(function.properties["FunctionName"]["Fn::Sub"], format!("${{AWS::StackName}}-{binary}"));
    }
}
