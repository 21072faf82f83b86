//! Reads `LambdaConfig`: the functions that a request sets.

use serde::Deserialize;
use serde_json::Value;

use crate::{config::Setting, model::settings::LambdaConfig, text::words};

/// Reads `LambdaConfig` of a request. Terraform and the CDK send the ARNs of functions on AWS, which are skipped.
///
/// # Errors
/// Returns an error if a value is neither an ARN nor the URL of a function.
pub(crate) fn read_functions(config: &Value) -> Result<LambdaConfig, String> {
    let Value::Object(mut members) = words::to_file(config.clone()) else {
        return Err("LambdaConfig is not an object".to_owned());
    };
    members.retain(|_, value| {
        let function = value.get("lambda_arn").unwrap_or(value).as_str();
        function.is_none_or(|text| !text.is_empty() && !text.starts_with("arn:"))
    });
    LambdaConfig::deserialize(&Setting::from_request(&Value::Object(members)))
        .map_err(|error| error.to_string())
}
