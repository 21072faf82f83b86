//! User-defined functions that the pool calls: closures, or URLs in the shape of the Lambda runtime interface
//! emulator.
//!
//! All use the JSON events of Cognito. None runs while the store is locked: conditions are checked again after a
//! trigger ran.

mod authentication;
mod challenge;
mod context;
mod event;
mod failure;
mod function;
mod message;
mod metadata;
mod migration;
mod set;
mod sign_up;
mod tokens;
mod url;

/// The events of triggers, as Rust functions on Lambda know them.
pub use aws_lambda_events::event::cognito as events;

use self::event::{Event, user_attributes};
pub use self::function::TriggerError;
pub(crate) use self::{
    authentication::{post_authentication, pre_authentication},
    challenge::{
        Next, Visitor, create_auth_challenge, define_auth_challenge, verify_auth_challenge_response,
    },
    context::EventContext,
    function::Function,
    message::{Reason, custom_text},
    metadata::{Caller, Metadata},
    migration::{Migrant, user_migration},
    set::Triggers,
    sign_up::{Arrival, Confirmation, post_confirmation, pre_sign_up},
    tokens::{Holder, TokenSource, machine_overrides, user_overrides},
};
pub use crate::model::Trigger;
