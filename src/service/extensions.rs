use std::sync::LazyLock;

use http::Extensions;

/// Reserves capacity for seven extensions in a request without any.
///
/// A new map has room for three, and axum's router inserts three of its own (`OriginalUri`, `MatchedPath` and the
/// path's parameters). With the claims the map would have to grow in each request. `http` cannot reserve room, but a
/// clone has as much room as its source. `http` does not document that; if it changes, requests get slower, and the
/// test that counts allocations fails.
pub(super) fn reserve(extensions: &mut Extensions) {
    if extensions.is_empty() {
        extensions.clone_from(&EMPTY_WITH_ROOM);
    }
}

/// A map that had four entries, and keeps the room for them.
static EMPTY_WITH_ROOM: LazyLock<Extensions> = LazyLock::new(|| {
    let mut extensions = Extensions::new();
    extensions.insert(0_u8);
    extensions.insert(0_u16);
    extensions.insert(0_u32);
    extensions.insert(0_u64);
    extensions.clear();
    extensions
});
