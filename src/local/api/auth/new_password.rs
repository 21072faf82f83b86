//! The challenge `NEW_PASSWORD_REQUIRED`: a first password gives way to one of the user's own.

use std::collections::BTreeMap;

use super::{
    super::{
        super::{
            settings::Contact,
            shared::Shared,
            srp::Password,
            store::{ChallengeKind, Client, Data, User, UserStatus},
        },
        ApiError,
    },
    challenges::{Handle, Open, open_step, session_is_over},
    input::Parameters,
};

pub(super) fn answer(
    pool: &Shared,
    client: &Client,
    handle: &Handle<'_>,
    answers: &Parameters,
) -> Result<User, ApiError> {
    let text = answers.get("NEW_PASSWORD")?;
    let attributes = answers.behind("userAttributes.");
    let (policy, user) = pool.store.read(|data| {
        let open = new_password_step(data, handle)?;
        Ok::<_, ApiError>((data.settings().password_policy, open.user))
    })?;
    if let Some(violation) = policy.violation(text) {
        return Err(ApiError::invalid_password(violation));
    }
    let remembered = policy.password_history_size;
    let is_known = |password: &Password| password.is(pool.short_name(), &user.username, text);
    if remembered > 0 && user.password.iter().chain(&user.earlier_passwords).any(is_known) {
        return Err(ApiError::new(
            "PasswordHistoryPolicyViolationException",
            "Password has previously been used.",
        ));
    }
    let password = Password::new(pool.short_name(), &user.username, text);

    pool.store.write(|data| {
        let Open { key, user, .. } = new_password_step(data, handle)?;
        check_attributes(data, client, &user, &attributes)?;
        data.challenges.remove(&key);
        let user = data.exact_user_mut(&user.username).ok_or_else(session_is_over)?;
        if let (Some(earlier), true) = (user.password.take(), remembered > 0) {
            user.earlier_passwords.insert(0, earlier);
            user.earlier_passwords.truncate(remembered);
        }
        user.password = Some(password);
        user.status = UserStatus::Confirmed;
        user.modified_at = handle.now;
        for (name, value) in attributes {
            if let Some(contact) = Contact::of_attribute(&name) {
                user.attributes.insert(contact.verified_attribute().to_owned(), "false".to_owned());
            }
            user.attributes.insert(name, value);
        }
        Ok::<User, ApiError>(user.clone())
    })?
}

fn new_password_step(data: &Data, handle: &Handle<'_>) -> Result<Open, ApiError> {
    let open = open_step(data, handle)?;
    let waits = matches!(open.challenge.kind, ChallengeKind::NewPasswordRequired)
        && open.user.status == UserStatus::ForceChangePassword;
    if waits { Ok(open) } else { Err(session_is_over()) }
}

/// Whether the attributes that come with the password may be written, and complete the user.
fn check_attributes(
    data: &Data,
    client: &Client,
    user: &User,
    given: &BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let settings = data.settings();
    let required: Vec<_> = settings.required_attributes().collect();
    let is_there = |name: &String| user.attribute(name).is_some() || given.contains_key(name);
    if let Some(name) = required.iter().find(|name| !is_there(name)) {
        return Err(ApiError::invalid_parameter(format!(
            "Invalid attributes given, {name} is missing"
        )));
    }
    let nonconforming = |name: &str, why: &str| {
        ApiError::invalid_parameter(format!(
            "Attributes did not conform to the schema: {name}: {why}"
        ))
    };
    for (name, value) in given {
        let held = user.attribute(name);
        let Some(schema) = settings.attribute(name) else {
            return Err(nonconforming(name, "Attribute does not exist in the schema."));
        };
        // Whether a contact is proven is not the user's to say.
        let is_verdict = matches!(name.as_str(), "email_verified" | "phone_number_verified");
        if is_verdict || schema.developer_only_attribute || !client.settings.may_write(name) {
            return Err(ApiError::not_authorized(
                "A client attempted to write unauthorized attribute",
            ));
        }
        if name == "sub" || (held.is_some() && (required.contains(name) || !schema.mutable)) {
            return Err(ApiError::invalid_parameter(format!(
                "Cannot modify an already provided {name}"
            )));
        }
        if let Some(why) = schema.violation(value) {
            return Err(nonconforming(name, &why));
        }
        let taken = Contact::of_attribute(name)
            .is_some_and(|contact| data.is_taken(contact, value, &user.username));
        if taken {
            return Err(ApiError::new(
                "AliasExistsException",
                format!("An account with the given {name} already exists."),
            ));
        }
    }
    Ok(())
}
