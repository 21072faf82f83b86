//! The manual, one page for each module below, and the list of examples.
//!
//! # Examples
//!
//! The repository and the package contain them in the folder `examples`. They need no AWS account. For example,
//! `cargo run --example quickstart` starts one of them.
//!
//! | example | content |
//! |---|---|
//! | `quickstart` | a protected API with a local or a real user pool |
//! | `custom_claims` | a tenant claim, permissions from a trigger, permissions by group |
//! | `custom_rejection` | error responses in your own format |
//! | `request_rules` | owners and tenants in the path, one table of rules, permissions in a database |
//! | `guests` | pages that are open to all and greet signed-in users by name |
//! | `two_pools` | one API for the users of two pools, staff and customers |
//! | `tenants` | a user pool for each tenant, added and removed while the service runs |
//! | `streams` | a WebSocket and server-sent events that end when the token expires |
//! | `tonic` | a gRPC server with an open service and a guarded one |
//! | `plain_hyper` | a service without axum |
//! | `web` | a React page that signs users in, the API that it calls, and the local pool |

#[doc = include_str!("docs/which_token.md")]
pub mod which_token {}

#[doc = include_str!("docs/routing.md")]
pub mod routing {}

#[doc = include_str!("docs/request_rules.md")]
pub mod request_rules {}

#[doc = include_str!("docs/grpc.md")]
pub mod grpc {}

#[doc = include_str!("docs/streams.md")]
pub mod streams {}

#[doc = include_str!("docs/lambda.md")]
pub mod lambda {}

#[doc = include_str!("docs/migration.md")]
pub mod migration {}

#[doc = include_str!("docs/defaults.md")]
pub mod defaults {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}

#[doc = include_str!("docs/threats.md")]
pub mod threats {}
