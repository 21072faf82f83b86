//! Clients of Cognito that nobody here wrote, each with a pool of this process.
//!
//! `tests/clients/run` installs them, tries more pools, the SDK for Rust and the browser application. Nothing is
//! downloaded here: what is not installed is skipped, and said.

use std::{
    env, fs,
    io::{Write, stderr},
    path::{Path, PathBuf},
};

use tokio::process::Command;
use tower_cognito_local::{Config, UserPool};

const EMPTY: &str = "username_attributes = []";

macro_rules! clients {
    ($($name:ident: $script:literal with $pool:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                try_client($script, $pool).await;
            }
        )*
    };
}

clients! {
    identity_js_lives_with_plain_user_names: "identity-js.mjs" with "plain";
    identity_js_lives_with_email_user_names: "identity-js.mjs" with "email";
    amplify_lives_with_plain_user_names: "amplify.mjs" with "plain";
    amplify_lives_with_email_user_names: "amplify.mjs" with "email";
    the_sdk_lives_with_a_pool_without_configuration: "sdk-v3.mjs" with "default";
    the_sdk_lives_with_email_user_names: "sdk-v3.mjs" with "email";
    boto3_lives_with_a_pool_without_configuration: "boto3_client.py" with "default";
    boto3_lives_with_email_user_names: "boto3_client.py" with "email";
    aws_jwt_verify_trusts_the_pool: "jwt-verify.mjs" with "default";
    aws_jwt_verify_trusts_an_issuer_of_amazon: "jwt-verify.mjs" with "amazon";
    openid_client_signs_in_at_the_hosted_pages: "openid-client.mjs" with "plain";
}

/// Runs a script, which ends well if all of its steps hold.
async fn try_client(script: &str, pool: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let (program, modules) = if script.ends_with(".py") {
        let python = target().join("clients-python");
        (python.join("bin/python"), python.join("ready"))
    } else {
        ("node".into(), folder.join("node_modules/.package-lock.json"))
    };
    let there = Command::new(&program).arg("--version").output().await.is_ok();
    if !there || !modules.exists() {
        // Written past what catches a test's output, so that it is seen.
        let what = if there { "its modules are not installed" } else { "it cannot be run" };
        let name = program.file_name().unwrap().display();
        let told = format!("skipped: {script} needs {name}, and {what}: see tests/clients/run\n");
        stderr().write_all(told.as_bytes()).unwrap();
        return;
    }
    let served = serve(&folder, pool).await;
    let output = Command::new(program)
        .args([script, pool])
        .current_dir(folder)
        .env("POOL_ENDPOINT", served.endpoint())
        .env("NODE_NO_WARNINGS", "1")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains(" steps, 0 failed"), "{said}");
}

/// The same pools as in `kit.mjs`.
async fn serve(folder: &Path, name: &str) -> UserPool {
    let plain = fs::read_to_string(folder.join("pool.toml")).unwrap();
    assert!(plain.contains(EMPTY));
    let builder = UserPool::builder();
    let builder = match name {
        "plain" => builder.config(Config::from_toml(&plain).unwrap()),
        "email" => {
            let email = plain.replace(EMPTY, "username_attributes = [\"email\"]");
            builder.config(Config::from_toml(&email).unwrap())
        }
        "amazon" => {
            builder.issuer("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Local0001")
        }
        _ => builder,
    };
    builder.start().await.unwrap()
}

/// Where cargo builds, which is where `tests/clients/run` installs.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
}
