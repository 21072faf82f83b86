//! `AdminCreateUser`: users who are invited, with a first password.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        attributes::{self, Writer},
        messages::{self, Draft},
        named_user,
        new_password::set_password,
        temporary_password::{TemporaryPassword, temporary_password},
        user_names::{NewName, check_name_free, new_name},
    },
    error::Error,
    http::api::{
        Answer,
        attribute_list::{AttributeInput, read_attributes, read_validation_data},
        input, required, shapes,
    },
    model::{
        MessageText, PLACE_OF_NAME, User, UserStatus,
        settings::{Contact, PoolSettings},
    },
    pool::{Pool, site::Site},
    store::Data,
    triggers::{Arrival, Caller, Metadata, Reason, custom_text, pre_sign_up},
};

const TAKEN: &str = "User account already exists";

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminCreateUser" => Some(create_user(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminCreateUser {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    temporary_password: Option<String>,
    force_alias_creation: Option<bool>,
    message_action: Option<String>,
    desired_delivery_mediums: Option<Vec<String>>,
    validation_data: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

async fn create_user(site: &Site, value: Value) -> Answer {
    let request: AdminCreateUser = input(value)?;
    let pool = site.named_pool(request.user_pool_id.clone())?;
    let given = required(request.username.clone(), "Username")?;
    if request.message_action.as_deref() == Some("RESEND") {
        return invite_again(&pool, &given, &request).await;
    }
    let settings = pool.store.read(Data::settings);
    let NewName { username, sub, contact } = new_name(&settings, &given)?;
    let mut attributes = attributes::check_new(
        &settings,
        Writer::Admin,
        read_attributes(request.user_attributes.clone())?,
    )?;
    if let Some((contact, value)) = contact {
        attributes.insert(contact.attribute().to_owned(), value);
    }
    let now = pool.now();
    let mut user = User::new(username, sub, now);
    user.status = UserStatus::ForceChangePassword;
    attributes::write(&mut user, &attributes);
    pool.store.read(|data| check_name_free(data, &settings, &given, TAKEN))?;
    let first =
        temporary_password(&pool, &settings, &user, request.temporary_password.clone()).await?;
    user.password = Some(first.stored.clone());
    // What the function says of confirmed users and verified contacts counts at sign-up alone.
    let validation = read_validation_data(request.validation_data.clone());
    let caller = request.caller();
    pre_sign_up(&pool.events(), &user, Arrival::AdminCreateUser, &validation, caller).await?;
    let invitations = match request.message_action {
        None => invitations(&pool, &settings, &user, &request).await?,
        Some(_) => Vec::new(),
    };
    pool.store
        .write(|data| {
            check_name_free(data, &settings, &given, TAKEN)?;
            if request.force_alias_creation.unwrap_or_default() {
                attributes::take_aliases(data, &user)?;
            }
            if let Some(clash) = attributes::alias_clash(data, &user) {
                let is_name = settings.signs_in_with_contacts();
                return Err(if is_name { Error::user_exists(clash.message) } else { clash });
            }
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            send(data, &user, &invitations, &first, now);
            Ok(json!({ "User": shapes::user(&user, "Attributes") }))
        })
        .await?
}

/// A user who did not come yet gets another password, which takes the place of the first.
async fn invite_again(pool: &Pool, name: &str, request: &AdminCreateUser) -> Answer {
    let (settings, user) = pool.store.read(|data| {
        let user = named_user(data, name)?;
        check_waits(user)?;
        Ok::<_, Error>((data.settings(), user.clone()))
    })?;
    let first =
        temporary_password(pool, &settings, &user, request.temporary_password.clone()).await?;
    let invitations = invitations(pool, &settings, &user, request).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let present = data.exact_user_mut(&user.username).filter(|found| found.sub == user.sub);
            let present = present.ok_or_else(Error::user_not_found)?;
            check_waits(present)?;
            set_password(present, &settings, first.stored.clone());
            present.modified_at = now;
            let present = present.clone();
            send(data, &present, &invitations, &first, now);
            Ok(json!({ "User": shapes::user(&present, "Attributes") }))
        })
        .await?
}

fn check_waits(user: &User) -> Result<(), Error> {
    if user.status == UserStatus::ForceChangePassword {
        return Ok(());
    }
    Err(Error::new(
        "UnsupportedUserStateException",
        format!("Resend not possible. {} status is not FORCE_CHANGE_PASSWORD", user.username),
    ))
}

/// Invitations by all ways that the administrator wants and the user has. If nothing is said, a phone comes before
/// an e-mail address. Who has neither is told by other means.
async fn invitations(
    pool: &Pool,
    settings: &PoolSettings,
    user: &User,
    request: &AdminCreateUser,
) -> Result<Vec<(Contact, MessageText)>, Error> {
    let wanted = request.desired_delivery_mediums.as_deref().unwrap_or_default();
    let has = |contact: &Contact| user.attribute(contact.attribute()).is_some();
    let contacts = [Contact::PhoneNumber, Contact::Email].into_iter().filter(has);
    let contacts: Vec<_> = if wanted.is_empty() {
        contacts.take(1).collect()
    } else {
        contacts.filter(|contact| wanted.iter().any(|medium| medium == contact.medium())).collect()
    };
    let mut invitations = Vec::new();
    for contact in contacts {
        let text = messages::invitation(settings, contact);
        let (reason, caller) = (Reason::AdminCreateUser, request.caller());
        let MessageText { subject, body } =
            custom_text(&pool.events(), user, reason, contact, text, caller).await?;
        let body = body.replace(PLACE_OF_NAME, sign_in_name(settings, user));
        invitations.push((contact, MessageText { subject, body }));
    }
    Ok(invitations)
}

/// Sends name and password.
fn send(
    data: &mut Data,
    user: &User,
    invitations: &[(Contact, MessageText)],
    first: &TemporaryPassword,
    now: u64,
) {
    for (contact, text) in invitations {
        let draft = Draft {
            contact: *contact,
            subject: text.subject.as_deref(),
            body: &text.body,
            code: Some(&first.text),
        };
        messages::send(data, user, &draft, now);
    }
}

impl AdminCreateUser {
    fn caller(&self) -> Caller<'_> {
        Caller::administrator(self.client_metadata.as_ref().unwrap_or(Metadata::NONE))
    }
}

/// What the user types to sign in.
fn sign_in_name<'a>(settings: &PoolSettings, user: &'a User) -> &'a str {
    let contacts = settings.username_attributes.iter();
    contacts
        .filter_map(|contact| user.attribute(contact.attribute()))
        .next()
        .unwrap_or(&user.username)
}
