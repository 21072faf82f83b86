use std::sync::LazyLock;

use http::Extensions;

/// Gives a request that has no extensions yet a map of them with room for seven.
///
/// A new map has room for three, and axum's router puts in three of its own (`OriginalUri`, `MatchedPath` and the
/// path's parameters), so that with the claims the map would be laid out anew in each request. `http` has no way
/// to reserve room, but a clone has as much as what it is cloned from. Nobody promises that; were it otherwise, only
/// time would be lost, and the test that counts allocations would tell.
pub(super) fn reserve(extensions: &mut Extensions) {
    if extensions.is_empty() {
        extensions.clone_from(&ROOMY);
    }
}

/// Empty, with the room that four took.
static ROOMY: LazyLock<Extensions> = LazyLock::new(|| {
    let mut extensions = Extensions::new();
    extensions.insert(0_u8);
    extensions.insert(0_u16);
    extensions.insert(0_u32);
    extensions.insert(0_u64);
    extensions.clear();
    extensions
});
