//! CloudFront before the API: it caches the catalogue and nothing else, and tells functions who asks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    read,
    template::{functions, resources, template},
};

fn distribution() -> Value {
    resources("AWS::CloudFront::Distribution").remove("Cdn").unwrap()["Properties"]["DistributionConfig"].clone()
}

/// The paths of a function's routes.
fn paths(binary: &str) -> BTreeSet<String> {
    let events = functions()[binary].properties["Events"].clone();
    let events = events.as_object().unwrap().values();
    events.filter_map(|event| event["Properties"]["Path"].as_str().map(ToOwned::to_owned)).collect()
}

#[test]
fn the_paths_of_the_catalogue_are_cached_and_no_others() {
    let behaviors = distribution()["CacheBehaviors"].as_array().unwrap().clone();
    let prefixes: Vec<&str> =
        behaviors.iter().map(|behavior| behavior["PathPattern"].as_str().unwrap().trim_end_matches('*')).collect();
    let is_cached = |path: &String| prefixes.iter().any(|prefix| path.starts_with(prefix));
    for binary in functions().keys().filter(|binary| functions()[*binary].properties["Events"].is_object()) {
        let cached = paths(binary).iter().filter(|path| is_cached(path)).count();
        let expected =
            if ["vehicles", "services", "shop"].contains(&binary.as_str()) { paths(binary).len() } else { 0 };
        assert_eq!(cached, expected, "{binary}");
    }
    for behavior in &behaviors {
        assert_eq!(behavior["CachePolicyId"]["Ref"], "CdnCatalogue");
    }
    // No cookie and no credential is part of the key, since no answer of the catalogue depends on one.
    let policy = &template()["Resources"]["CdnCatalogue"]["Properties"]["CachePolicyConfig"];
    let key = &policy["ParametersInCacheKeyAndForwardedToOrigin"];
    assert_eq!((&policy["MaxTTL"], &key["CookiesConfig"]), (&json!(60), &json!({ "CookieBehavior": "none" })));
    assert_eq!(key["QueryStringsConfig"]["QueryStringBehavior"], "all");
}

#[test]
fn cloudfront_sends_the_secret_that_functions_read_and_the_viewer_s_address() {
    let header = &distribution()["Origins"][0]["OriginCustomHeaders"][0];
    let name = header["HeaderName"].as_str().unwrap().to_lowercase();
    assert!(read("shared/src/http/origin.rs").contains(&format!("from_static(\"{name}\")")));
    assert_eq!(header["HeaderValue"]["Fn::Sub"], "{{resolve:secretsmanager:${OriginCredentials}:SecretString:header}}");
    let distribution = distribution();
    let default = &distribution["DefaultCacheBehavior"];
    for behavior in distribution["CacheBehaviors"].as_array().unwrap().iter().chain([default]) {
        // AllViewerAndCloudFrontHeaders: without the address all viewers would share one rate limit.
        assert_eq!(behavior["OriginRequestPolicyId"], "33f36d7e-f396-46d9-90e0-52428a34d9dc");
        assert_eq!(behavior["AllowedMethods"].as_array().unwrap().len(), 7);
    }
    assert_eq!(default["CachePolicyId"], "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "CachingDisabled");
}
