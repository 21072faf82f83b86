//! `AdminCreateUser`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        invitations::{self, Invitation, InvitationMessage},
        sign_up::TakesAliases,
    },
    http::api::{
        Output,
        attribute_list::{AttributeInput, read_attributes, read_validation_data},
        input, required, shapes,
    },
    pool::site::Site,
    triggers::Metadata,
};

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

pub(crate) async fn create_user(site: &Site, value: Value) -> Output {
    let request: AdminCreateUser = input(value)?;
    let pool = site.named_pool(request.user_pool_id)?;
    let action = request.message_action.as_deref();
    let invitation = Invitation {
        name: required(request.username, "Username")?,
        attributes: read_attributes(request.user_attributes)?,
        temporary_password: request.temporary_password,
        takes_aliases: match request.force_alias_creation {
            Some(true) => TakesAliases::Yes,
            _ => TakesAliases::No,
        },
        message: match action {
            None => InvitationMessage::Send,
            Some(_) => InvitationMessage::Suppress,
        },
        mediums: request.desired_delivery_mediums.unwrap_or_default(),
        validation: read_validation_data(request.validation_data),
        metadata: request.client_metadata.unwrap_or_default(),
    };
    let user = match action {
        Some("RESEND") => invitations::send_again(&pool, invitation).await?,
        _ => invitations::create(&pool, invitation).await?,
    };
    Ok(json!({ "User": shapes::user(&user, "Attributes") }))
}
