//! JSON that several operations write.

use serde_json::{Map, Value, json};

use crate::{
    domain::messages::CodeDelivery,
    model::{Group, User},
    pool::issue::Tokens,
};

pub(crate) fn tokens(tokens: Tokens) -> Value {
    let Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
    let mut written = json!({
        "AccessToken": access_token,
        "ExpiresIn": expires_in,
        "TokenType": "Bearer",
    });
    for (name, token) in [("IdToken", id_token), ("RefreshToken", refresh_token)] {
        if let (Some(token), Value::Object(written)) = (token, &mut written) {
            written.insert(name.to_owned(), Value::String(token));
        }
    }
    written
}

/// Writes `CodeDeliveryDetails`.
pub(crate) fn delivery(delivery: &CodeDelivery) -> Value {
    json!({
        "AttributeName": delivery.contact.attribute(),
        "DeliveryMedium": delivery.contact.medium(),
        "Destination": delivery.destination,
    })
}

/// Writes a time in seconds, with a fraction.
pub(crate) fn time(milliseconds: u64) -> Value {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{seconds}.{rest:03}").parse().map_or(Value::Null, |number: f64| json!(number))
}

/// Writes the attributes that may be read, as a list of names and values. `sub` and `identities` can always be read.
pub(crate) fn attributes(user: &User, may_read: impl Fn(&str) -> bool) -> Value {
    let sub = ("sub", user.sub.as_str());
    let others = user.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let identities = (!user.identities.is_empty())
        .then(|| serde_json::to_string(&user.identities).unwrap_or_default());
    let identities = identities.as_deref().map(|text| ("identities", text));
    std::iter::once(sub)
        .chain(identities)
        .chain(others)
        .filter(|(name, _)| *name == "sub" || *name == "identities" || may_read(name))
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect()
}

/// Writes a user for administrators. The name of the member with the attributes depends on the operation.
pub(crate) fn user(user: &User, attributes_member: &str) -> Map<String, Value> {
    let mut written = Map::new();
    written.insert("Username".into(), json!(user.username));
    written.insert(attributes_member.into(), attributes(user, |_| true));
    written.insert("UserCreateDate".into(), time(user.created_at));
    written.insert("UserLastModifiedDate".into(), time(user.modified_at));
    written.insert("Enabled".into(), json!(user.enabled));
    written.insert("UserStatus".into(), json!(user.status.as_str()));
    written
}

/// Writes a group.
pub(crate) fn group(pool_id: &str, group: &Group) -> Value {
    let mut written = json!({
        "GroupName": group.name,
        "UserPoolId": pool_id,
        "CreationDate": time(group.created_at),
        "LastModifiedDate": time(group.modified_at),
    });
    for (name, value) in [
        ("Description", json!(group.description)),
        ("RoleArn", json!(group.role_arn)),
        ("Precedence", json!(group.precedence)),
    ] {
        if let (Value::Object(written), false) = (&mut written, value.is_null()) {
            written.insert(name.to_owned(), value);
        }
    }
    written
}

/// Writes a page of a list, with the token of the next page if there is one.
pub(crate) fn page(
    member: &str,
    rows: impl Iterator<Item = Value>,
    next_token: Option<String>,
) -> Value {
    let mut page = Map::new();
    page.insert(member.to_owned(), rows.collect());
    page.extend(next_token.map(|token| ("NextToken".to_owned(), Value::String(token))));
    Value::Object(page)
}

/// Writes which second factors a user has.
pub(crate) fn mfa(user: &User) -> Map<String, Value> {
    let factors: Vec<_> = [
        ("SOFTWARE_TOKEN_MFA", user.mfa.software_token),
        ("SMS_MFA", user.mfa.sms),
        ("EMAIL_OTP", user.mfa.email),
    ]
    .into_iter()
    .filter_map(|(name, is_on)| is_on.then_some(name))
    .collect();
    let mut written = Map::new();
    if !factors.is_empty() {
        written.insert("UserMFASettingList".into(), json!(factors));
    }
    if let Some(preferred) = &user.mfa.preferred {
        written.insert("PreferredMfaSetting".into(), json!(preferred));
    }
    written
}
