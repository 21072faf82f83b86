//! Published Cognito clients against a pool in this process.
//!
//! `tests/clients/run` installs them, and also runs other pools, the SDK for Rust and the browser application. These
//! tests download nothing: a client that is not installed is skipped with a message.

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
                run_client($script, $pool).await;
            }
        )*
    };
}

clients! {
    identity_js_passes_with_plain_user_names: "identity-js.mjs" with "plain";
    identity_js_passes_with_email_user_names: "identity-js.mjs" with "email";
    amplify_passes_with_plain_user_names: "amplify.mjs" with "plain";
    amplify_passes_with_email_user_names: "amplify.mjs" with "email";
    sdk_v3_passes_with_an_unconfigured_pool: "sdk-v3.mjs" with "default";
    sdk_v3_passes_with_email_user_names: "sdk-v3.mjs" with "email";
    boto3_passes_with_an_unconfigured_pool: "boto3_client.py" with "default";
    boto3_passes_with_email_user_names: "boto3_client.py" with "email";
    aws_jwt_verify_accepts_tokens_of_the_pool: "jwt-verify.mjs" with "default";
    aws_jwt_verify_accepts_tokens_of_an_aws_issuer: "jwt-verify.mjs" with "amazon";
    openid_client_signs_in_at_the_hosted_pages: "openid-client.mjs" with "plain";
}

/// Runs a script, which exits with status 0 if all of its steps pass.
async fn run_client(script: &str, pool: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let (program, modules) = if script.ends_with(".py") {
        let python = target().join("clients-python");
        (python.join("bin/python"), python.join("ready"))
    } else {
        ("node".into(), folder.join("node_modules/.package-lock.json"))
    };
    let is_available = Command::new(&program).arg("--version").output().await.is_ok();
    if !is_available || !modules.exists() {
        // Written to stderr directly, because the test harness captures `eprintln!`.
        let what =
            if is_available { "its modules are not installed" } else { "it cannot be started" };
        let name = program.file_name().unwrap().display();
        let message =
            format!("skipped: {script} needs {name}, and {what}: see tests/clients/run\n");
        stderr().write_all(message.as_bytes()).unwrap();
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
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && printed.contains(" steps, 0 failed"), "{printed}");
}

/// Starts one of the pools that `kit.mjs` defines.
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

/// Returns cargo's target folder, where `tests/clients/run` installs the Python clients.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
}
