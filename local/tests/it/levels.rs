//! The levels of the crate: which module may import which.

use std::path::Path;

use crate::support::imports::SourceTree;

/// The modules that each top-level module may import, lowest level first. A module may always import from itself.
const MAY_IMPORT: [(&str, &[&str]); 20] = [
    ("error", &[]),
    ("blocking", &[]),
    ("time", &[]),
    ("text", &[]),
    ("docs", &[]),
    ("crypto", &["blocking", "text"]),
    ("ids", &["crypto"]),
    ("model", &["crypto", "error", "text"]),
    ("service_model", &["error"]),
    ("config", &["error", "model", "text"]),
    ("store", &["blocking", "crypto", "error", "ids", "model", "text", "time"]),
    ("triggers", &["blocking", "error", "model"]),
    ("pool", &["blocking", "crypto", "error", "ids", "model", "store", "text", "time", "triggers"]),
    (
        "domain",
        &[
            "crypto",
            "error",
            "ids",
            "model",
            "pool",
            "service_model",
            "store",
            "text",
            "time",
            "triggers",
        ],
    ),
    ("seed", &["config", "crypto", "ids", "model", "pool", "store", "time"]),
    (
        "http",
        &[
            "blocking",
            "config",
            "crypto",
            "domain",
            "error",
            "ids",
            "model",
            "pool",
            "service_model",
            "store",
            "text",
            "time",
            "triggers",
        ],
    ),
    ("server", &["crypto", "http", "pool"]),
    ("start", &["config", "model", "store", "text"]),
    ("testing", &["domain", "error", "ids", "model", "pool", "store", "triggers"]),
    (
        "builder",
        &[
            "blocking", "config", "model", "pool", "seed", "server", "start", "store", "testing",
            "triggers",
        ],
    ),
];

#[test]
fn modules_import_only_from_lower_levels_without_cycles() {
    let sources = SourceTree::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let violations = sources.violations(&MAY_IMPORT);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
