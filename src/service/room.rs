use std::sync::LazyLock;

use http::Extensions;

/// Gives a request without extensions a map with room for seven.
///
/// A new map has room for three, and axum's router puts in three of its own, so that with the claims it would
/// be laid out anew in each request. `http` has no way to ask for room, but a map's copy has what the map has.
pub(super) fn make_room(extensions: &mut Extensions) {
    if extensions.is_empty() {
        extensions.clone_from(&ROOM);
    }
}

/// Empty, with the room that four took.
static ROOM: LazyLock<Extensions> = LazyLock::new(|| {
    let mut extensions = Extensions::new();
    extensions.insert(Place::<0>);
    extensions.insert(Place::<1>);
    extensions.insert(Place::<2>);
    extensions.insert(Place::<3>);
    extensions.clear();
    extensions
});

#[derive(Clone)]
struct Place<const NUMBER: usize>;
