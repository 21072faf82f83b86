//! User-defined functions that the pool calls: closures, or URLs that are called like the Lambda runtime interface
//! emulator.
//!
//! All receive Cognito's JSON events. The store is not locked while a trigger runs, so conditions are checked again
//! afterwards.

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

/// The events of triggers: the types that Rust functions on Lambda use.
pub use aws_lambda_events::event::cognito as events;

use self::event::Event;
pub use self::function::TriggerError;
pub(crate) use self::{
    authentication::{post_authentication, pre_authentication},
    challenge::{
        CustomAuthStep, CustomAuthUser, create_auth_challenge, define_auth_challenge,
        verify_auth_challenge_response,
    },
    context::EventContext,
    function::Function,
    message::{Reason, custom_text},
    metadata::{Caller, Metadata},
    migration::{MigratedUser, user_migration},
    set::Triggers,
    sign_up::{ConfirmationSource, ProspectiveUser, SignUpSource, post_confirmation, pre_sign_up},
    tokens::{TokenSource, TokenUser, machine_overrides, user_overrides},
};
pub use crate::model::Trigger;
