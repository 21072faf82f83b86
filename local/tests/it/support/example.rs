//! The example is compiled into the tests too, so that they can call its parts.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "the tests use parts of it")]

#[path = "../../../examples/local_pool.rs"]
pub(crate) mod local_pool;
