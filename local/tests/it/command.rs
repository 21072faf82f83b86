//! The command `tower-cognito-local`.

use std::{env, fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::support::command::{Served, program};

/// Each option of `serve` with its environment variable.
const OPTIONS: [&str; 14] = [
    "host",
    "port",
    "pool-id",
    "client-id",
    "config",
    "data",
    "issuer",
    "public-url",
    "allow-host",
    "tls-ca-file",
    "tls-cert",
    "tls-key",
    "smtp",
    "log-format",
];

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pool.toml");

fn variable(option: &str) -> String {
    format!("TOWER_COGNITO_LOCAL_{}", option.to_uppercase().replace('-', "_"))
}

/// Runs a command until it exits. Returns whether it succeeded, its standard output and its standard error.
fn run(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn config_file(name: &str, text: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("tower-cognito-{}-{name}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn help_lists_each_option_with_its_environment_variable() {
    for arguments in [&["--help"][..], &["serve", "--help"]] {
        let (succeeded, help, _) = run(program().args(arguments));
        assert!(succeeded);
        for option in OPTIONS {
            assert!(help.contains(&format!("--{option} <")), "{option}: {help}");
            assert!(help.contains(&format!("[env: {}=", variable(option))), "{option}: {help}");
        }
        assert!(help.contains("--tls\n") && help.contains("[env: TOWER_COGNITO_LOCAL_TLS="));
    }
    let (succeeded, version, _) = run(program().arg("--version"));
    assert_eq!(
        (succeeded, version),
        (true, format!("tower-cognito-local {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn error_of_an_invalid_argument_names_the_allowed_values() {
    for (arguments, expected) in [
        (&["--prot", "1"][..], "'--prot'"),
        (&["--port"], "a value is required for '--port <PORT>'"),
        (&["--port", "70000"], "70000 is not in 0..=65535"),
        (&["--port", "1", "--port=2"], "'--port <PORT>' cannot be used multiple times"),
        (&["--host", "localhost"], "invalid IP address syntax"),
        (&["--log-format", "xml"], "[possible values: text, json]"),
        (&["9229"], "'9229'"),
        (&["--tls-cert", "a.pem"], "--tls-key <FILE>"),
        (&["--tls-key", "a.pem"], "--tls-cert <FILE>"),
        (
            &["--tls-cert", "a.pem", "--tls-key", "b.pem", "--tls-ca-file", "c.pem"],
            "cannot be used with",
        ),
        (&["--port=0", "--tls-cert", "/nowhere/a", "--tls-key", "b"], "error: /nowhere/a: "),
        (&["--port=0", "--tls-ca-file", "/nowhere/a"], "error: /nowhere/a: "),
        (&["--port=0", "--allow-host", "http://cognito"], "without scheme and port"),
        (&["--port", "0", "serve"], "cannot be used with"),
        (&["check"], "--config <FILE>"),
        (
            &["serve", "--port", "0", "--config", "/nowhere/pool.toml"],
            "error: /nowhere/pool.toml: ",
        ),
        (&["--port", "0", "--pool-id", "pool"], "error: pool id: found \"pool\"; expected"),
    ] {
        let (succeeded, _, error) = run(program().args(arguments));
        assert!(!succeeded, "{arguments:?}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn banner_shows_the_addresses_and_no_secret() {
    let secret = "0123456789abcdefghijklmnop";
    let file = config_file(
        "banner",
        &format!(
            "[[aws_cognito_user_pool_client]]\n\
             [[aws_cognito_user_pool_client]]\nclient_id = \"machine\"\nclient_secret = \"{secret}\"\n"
        ),
    );
    let mut command = program();
    command.args(["--port=0", "--pool-id", "eu-west-1_Mine", "--client-id", "mine", "--config"]);
    command.arg(&file);
    let served = Served::run(command);
    fs::remove_file(file).unwrap();
    let endpoint = format!("http://{}", served.address);
    for expected in [
        "User pool id   eu-west-1_Mine",
        "mine (without a secret)",
        "machine (with a secret)",
        // boto3 and version 1 of the `aws` command read only the second variable.
        "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1",
        &format!("Issuer         {endpoint}/eu-west-1_Mine"),
        &format!("JWKS           {endpoint}/eu-west-1_Mine/.well-known/jwks.json"),
        &format!("{endpoint}/_local/health"),
        "Data           in memory",
    ] {
        assert!(served.output.contains(expected), "{expected}: {}", served.output);
    }
    assert!(!served.output.contains(secret));
    assert!(!served.output.contains("allow_plain_http"));
    // A plain HTTP issuer on another host needs one more call in a verifier.
    let mut command = program();
    command.args(["--port", "0", "--issuer", "http://cognito:9229/us-east-1_Local0001"]);
    let output = Served::run(command).output.clone();
    assert!(
        output.contains(
            ".access_tokens([\"localclient0000000000000000\"]).dangerous().allow_plain_http()"
        ),
        "{output}"
    );
}

#[test]
fn arguments_take_precedence_over_environment_variables() {
    let mut command = program();
    command.args(["serve", "--client-id", "argument"]).envs([
        (variable("port"), "0"),
        (variable("host"), "127.0.0.1"),
        (variable("pool-id"), "eu-west-1_Variable"),
        (variable("client-id"), "variable"),
        (variable("issuer"), "https://variable.test/a"),
    ]);
    let output = Served::run(command).output.clone();
    for expected in [
        "eu-west-1_Variable",
        "argument (without a secret)",
        "Issuer         https://variable.test/a",
    ] {
        assert!(output.contains(expected), "{expected}: {output}");
    }
    // Variables of `serve` do not affect other commands.
    let (succeeded, output, error) =
        run(program().arg("check").env(variable("port"), "0").env(variable("config"), EXAMPLE));
    assert!(succeeded && output.contains("is valid"), "{error}");
}

#[test]
fn check_reports_errors_with_their_line_and_settings_without_effect() {
    let file = config_file(
        "check",
        "[aws_cognito_user_pool]\nname = \"a\"\n[aws_cognito_user_pool.email_configuration]\nfrom_email_address = \"a@b.test\"\n",
    );
    let (succeeded, output, _) = run(program().args(["check", "--config"]).arg(&file));
    assert!(succeeded);
    assert!(output.contains("These settings have no effect on a local pool:"), "{output}");
    assert!(
        output.contains(&format!(
            "{}:3:24: aws_cognito_user_pool.email_configuration",
            file.display()
        )),
        "{output}"
    );

    fs::write(
        &file,
        "[aws_cognito_user_pool]\nname = \"a\"\nmfa_configuration = \"SOMETIMES\"\ntags = {}\n\
         [aws_cognito_user_pool_client]\naccess_token_validity = \"ten\"\n",
    )
    .unwrap();
    let (succeeded, output, error) = run(program().args(["check", "--config"]).arg(&file));
    assert!(!succeeded && output.is_empty(), "{output}");
    let file_name = file.display();
    let [ignored, mode, validity] = error.lines().collect::<Vec<_>>()[..] else {
        panic!("{error}")
    };
    let expected = format!("warning: {file_name}:4:1: aws_cognito_user_pool.tags has no effect");
    assert!(ignored.starts_with(&expected), "{ignored}");
    assert!(mode.starts_with(&format!("error: {file_name}:3:1: ")), "{mode}");
    assert!(mode.contains("OPTIONAL"), "{mode}");
    assert!(validity.starts_with(&format!("error: {file_name}:6:1: ")), "{validity}");
    fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn banner_check_and_health_list_all_pools_of_the_configuration() {
    let file = config_file(
        "several",
        "[aws_cognito_user_pool.staff]\nname = \"staff\"\n[aws_cognito_user_pool.shop]\nname = \"customers\"\n",
    );
    let (_, output, _) = run(program().args(["check", "--config"]).arg(&file));
    assert!(output.contains("It has 2 user pools: staff, shop."), "{output}");
    let mut command = program();
    command.args(["--port", "0", "--config"]).arg(&file);
    let served = Served::run(command);
    fs::remove_file(file).unwrap();
    for expected in [
        "A server with 2 user pools",
        "User pool id   us-east-1_Local0001 (staff)",
        "User pool id   us-east-1_Local0002 (customers)",
        "localclient0000000000000000 (without a secret)",
        "localclient0000000000000001 (without a secret)",
        &format!("Issuer         http://{}/us-east-1_Local0002", served.address),
        "Settings for clients of the first pool:",
    ] {
        assert!(served.output.contains(expected), "{expected}: {}", served.output);
    }
    let url = format!("http://{}/_local/health", served.address);
    let body = reqwest::get(url).await.unwrap().text().await.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    let ids = serde_json::json!(["us-east-1_Local0001", "us-east-1_Local0002"]);
    assert_eq!(body["user_pools"], ids);
}

#[tokio::test]
async fn health_responds_under_any_host_name() {
    let mut command = program();
    command.args(["--port", "0"]);
    let served = Served::run(command);
    for host in ["127.0.0.1", "cognito:9229", "pool.example"] {
        let url = format!("http://{}/_local/health", served.address);
        let response = reqwest::Client::new().get(url).header("host", host).send().await.unwrap();
        assert_eq!(response.status(), 200, "{host}");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["status"], "ok");
        assert_eq!(body["user_pools"], serde_json::json!(["us-east-1_Local0001"]));
    }
    // The overview responds only under host names of this machine.
    let url = format!("http://{}/_local/", served.address);
    let response =
        reqwest::Client::new().get(url).header("host", "cognito:9229").send().await.unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn tls_options_write_the_authority_and_show_https_addresses() {
    let file = env::temp_dir().join(format!("tower-cognito-{}-ca.pem", std::process::id()));
    let mut command = program();
    command.args(["--port=0", "--allow-host", "cognito", "--tls-ca-file"]).arg(&file);
    command.env(variable("allow-host"), "first.test,second.test");
    let served = Served::run(command);
    let pem = fs::read(&file).unwrap();
    fs::remove_file(file).unwrap();
    let endpoint = format!("https://{}", served.address);
    for expected in [
        format!("is at {endpoint}. It is not for production."),
        format!("Issuer         {endpoint}/us-east-1_Local0001"),
        format!("JWKS           http://{}/us-east-1_Local0001/.well-known", served.address),
        format!("{endpoint}/_local/ca.pem"),
    ] {
        assert!(served.output.contains(&expected), "{expected}: {}", served.output);
    }
    let authority = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]);
    let client = client.resolve("cognito", served.address).build().unwrap();
    for host in ["127.0.0.1", "cognito"] {
        let url = format!("https://{host}:{}/_local/", served.address.port());
        assert_eq!(client.get(url).send().await.unwrap().status(), 200, "{host}");
    }

    // The variables have the same meaning.
    let mut command = program();
    command.envs([
        (variable("port"), "0"),
        (variable("tls"), "true"),
        (variable("allow-host"), "first.test,second.test"),
    ]);
    let served = Served::run(command);
    assert!(served.output.contains("is at https://127.0.0.1:"), "{}", served.output);
    let get = async |host| {
        let url = format!("http://{}/_local/", served.address);
        reqwest::Client::new().get(url).header("host", host).send().await.unwrap().status()
    };
    assert_eq!(get("first.test").await, 200);
    assert_eq!(get("second.test:9229").await, 200);
    assert_eq!(get("cognito").await, 403);
    let mut command = program();
    command.args(["--port", "0"]).env(variable("tls"), "false");
    assert!(Served::run(command).output.contains("is at http://127.0.0.1:"));
}

#[cfg(unix)]
#[test]
fn signals_end_the_process_cleanly_and_close_the_data_file() {
    let file = env::temp_dir().join(format!("tower-cognito-{}-signals.redb", std::process::id()));
    for signal in ["TERM", "INT"] {
        let status = Served::start(&file).signal(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
    }
    fs::remove_file(file).unwrap();
}

#[cfg(unix)]
#[test]
fn json_log_has_one_object_per_line() {
    use std::{
        io::{BufRead, BufReader},
        process::Stdio,
    };

    let mut command = program();
    command
        .args(["--port", "0", "--log-format", "json"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let ready: Value = loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        if line["fields"]["message"] == "the user pool is ready" {
            break line;
        }
    };
    assert_eq!(ready["fields"]["user_pool_id"], "us-east-1_Local0001");
    let issuer = ready["fields"]["issuer"].as_str().unwrap();
    assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer}");
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    assert!(lines.all(|line| serde_json::from_str::<Value>(&line).is_ok()));
    assert!(child.wait_with_output().unwrap().stdout.is_empty());
}
