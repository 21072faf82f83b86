use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tower_cognito_local::UserPool;

/// A data file of one test, removed on drop.
pub(crate) struct DataFile(PathBuf);

impl DataFile {
    /// Returns a path at which no file exists. `name` differs between tests.
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("tower-cognito-{}-{name}.redb", std::process::id());
        let path = env::temp_dir().join(name);
        let _ = fs::remove_file(&path);
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Starts a pool with this file and a fixed issuer.
    pub(crate) async fn pool(&self) -> UserPool {
        UserPool::builder().data(&self.0).issuer("https://pool.test/a").start().await.unwrap()
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
