//! Software tokens and second factors: `AssociateSoftwareToken`, `SetUserMFAPreference` and related operations.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::software_token::{self, FactorPreference, FactorPreferences},
    error::Error,
    http::api::{Output, empty_output, input, required, shapes},
    pool::site::Site,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Token {
    access_token: Option<String>,
    session: Option<String>,
    user_code: Option<String>,
    friendly_device_name: Option<String>,
}

pub(crate) async fn associate(site: &Site, value: Value) -> Output {
    let Token { access_token, session, .. } = input(value)?;
    if access_token.is_some() {
        let (pool, user, _) = site.token_user(access_token).await?;
        let secret = software_token::associate(&pool, &user).await?;
        return Ok(json!({ "SecretCode": secret }));
    }
    let session = session.ok_or_else(no_session)?;
    let pool = software_token::pool_of_session(site, &session)?;
    let (secret, session) = software_token::associate_in_sign_in(&pool, &session).await?;
    Ok(json!({ "SecretCode": secret, "Session": session }))
}

pub(crate) async fn verify(site: &Site, value: Value) -> Output {
    let Token { access_token, session, user_code, friendly_device_name: name } = input(value)?;
    let code = required(user_code, "UserCode")?;
    if access_token.is_some() {
        let (pool, user, _) = site.token_user(access_token).await?;
        software_token::verify(&pool, &user, &code, name).await?;
        return Ok(json!({ "Status": "SUCCESS" }));
    }
    let session = session.ok_or_else(no_session)?;
    let pool = software_token::pool_of_session(site, &session)?;
    let session = software_token::verify_in_sign_in(&pool, &session, &code, name).await?;
    Ok(json!({ "Status": "SUCCESS", "Session": session }))
}

fn no_session() -> Error {
    Error::invalid_parameter("AccessToken or Session is required.")
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Preference {
    access_token: Option<String>,
    user_pool_id: Option<String>,
    username: Option<String>,
    #[serde(rename = "SMSMfaSettings")]
    sms_mfa_settings: Option<FactorSettings>,
    software_token_mfa_settings: Option<FactorSettings>,
    email_mfa_settings: Option<FactorSettings>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FactorSettings {
    enabled: Option<bool>,
    preferred_mfa: Option<bool>,
}

impl Preference {
    fn factors(&self) -> FactorPreferences {
        let read = |settings: &Option<FactorSettings>| {
            settings.as_ref().map(|FactorSettings { enabled, preferred_mfa }| FactorPreference {
                is_enabled: enabled.unwrap_or_default(),
                is_preferred: preferred_mfa.unwrap_or_default(),
            })
        };
        FactorPreferences {
            sms: read(&self.sms_mfa_settings),
            software_token: read(&self.software_token_mfa_settings),
            email: read(&self.email_mfa_settings),
        }
    }
}

pub(crate) async fn set_preference(site: &Site, value: Value) -> Output {
    let request: Preference = input(value)?;
    let factors = request.factors();
    let (pool, user, _) = site.token_user(request.access_token).await?;
    software_token::set_preference(&pool, &user, &factors).await?;
    empty_output()
}

pub(crate) async fn admin_set_preference(site: &Site, value: Value) -> Output {
    let request: Preference = input(value)?;
    let factors = request.factors();
    let pool = site.named_pool(request.user_pool_id)?;
    let name = required(request.username, "Username")?;
    software_token::set_preference_of(&pool, &name, &factors).await?;
    empty_output()
}

pub(crate) async fn auth_factors(site: &Site, value: Value) -> Output {
    let Token { access_token, .. } = input(value)?;
    let (_, user, _) = site.token_user(access_token).await?;
    let mut output = shapes::mfa(&user);
    output.insert("Username".to_owned(), json!(user.username));
    if user.password.is_some() {
        output.insert("ConfiguredUserAuthFactors".to_owned(), json!(["PASSWORD"]));
    }
    Ok(Value::Object(output))
}
